import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogCheckpoint } from '@nzcore/storage/log';
import { MARKER, pattern, versionOf } from './pattern.ts';
import { openWorld, type World } from './world.ts';

/** What was acknowledged with sync so far in one directory. */
export interface Acknowledged {
  readonly keys: Map<string, { group: string; version: number }>;
  /** Keys that were about to be deleted: they may be there or not. */
  readonly deleting: Set<string>;
  /** The last version of keys that are deleted: they may be there in a later version only. */
  readonly deleted: Map<string, number>;
  batch: number;
  readonly files: Map<string, number>;
  readonly entries: Map<number, number>;
  checkpoint: LogCheckpoint | undefined;
}

/** Nothing yet. */
export function newAcknowledged(): Acknowledged {
  return {
    keys: new Map(),
    deleting: new Set(),
    deleted: new Map(),
    batch: 0,
    files: new Map(),
    entries: new Map(),
    checkpoint: undefined,
  };
}

/** Takes a line of the worker. */
export function acknowledge(acknowledged: Acknowledged, line: string): void {
  const [kind = '', a = '', b = '', c = ''] = line.split(' ');
  if (kind === 'key') {
    acknowledged.keys.set(b, { group: a, version: Number(c) });
    acknowledged.deleting.delete(b);
    acknowledged.deleted.delete(b);
  }
  if (kind === 'deleting') acknowledged.deleting.add(a);
  if (kind === 'deleted') acknowledged.deleted.set(a, Number(b));
  if (kind === 'batch') acknowledged.batch = Number(a);
  if (kind === 'file') acknowledged.files.set(a, Number(b));
  if (kind === 'entry') acknowledged.entries.set(Number(a), Number(b));
  if (kind === 'checkpoint') {
    acknowledged.checkpoint = { sequence: Number(a), hash: new Uint8Array(Buffer.from(b, 'hex')) };
  }
}

/** What a check has looked at. */
export interface CheckReport {
  readonly acknowledged: number;
  /** Whether a torn tail of the log was cut. */
  readonly isTorn: boolean;
}

/** Opens what a kill has left. @throws Error when something acknowledged is lost, or something torn is believed */
export async function checkWorld(
  directory: string,
  acknowledged: Acknowledged,
  { freshness }: { freshness: boolean },
): Promise<CheckReport> {
  await using world = await openWorld(directory, { freshness, notBefore: acknowledged.checkpoint });
  await checkKeys(world, acknowledged);
  await checkBatch(world, acknowledged);
  await checkFiles(world, acknowledged, directory);
  await checkLog(world, acknowledged);
  const { keys, files, entries } = acknowledged;
  return { acknowledged: keys.size + files.size + entries.size, isTorn: world.log.torn !== undefined };
}

async function checkKeys({ store }: World, { keys, deleting, deleted }: Acknowledged): Promise<void> {
  for (const [name, { group, version }] of keys) {
    const value = await store.namespace(group).get(new TextEncoder().encode(name));
    if (value === undefined && deleting.has(name)) continue;
    expectAtLeast(name, value, (deleted.get(name) ?? version - 1) + 1);
  }
  const { problems } = await store.verify();
  if (problems.length > 0) throw new Error(`${problems.length} records do not verify`);
}

async function checkBatch({ store }: World, acknowledged: Acknowledged): Promise<void> {
  const versions = new Set<number>();
  for (let i = 0; i < 10; i++) {
    const space = store.namespace('batch');
    const half = i % 2 === 0 ? space : space.namespace('half');
    const value = await half.get(new TextEncoder().encode(`batch-${i}`));
    versions.add(value === undefined ? 0 : versionOf(`batch-${i}`, value));
  }
  const [version = 0] = versions;
  if (versions.size > 1) throw new Error(`a batch is torn: versions ${[...versions].join(' ')}`);
  if (version < acknowledged.batch)
    throw new Error(`batch ${acknowledged.batch} is lost, there is ${version}`);
}

async function checkFiles({ files }: World, acknowledged: Acknowledged, directory: string): Promise<void> {
  for (const [name, version] of acknowledged.files) expectAtLeast(name, await files.read(name), version);
  const report = await files.verify();
  if (report.problems.length > 0) throw new Error(`${report.problems.length} files do not verify`);
  await files.compact();
  const stored = (await readdir(join(directory, 'files'))).filter((name) => name !== 'nzcore-files');
  if (stored.length !== report.files) throw new Error('files were left behind');
}

async function checkLog({ log }: World, { entries }: Acknowledged): Promise<void> {
  let next = 0;
  for await (const { sequence, data } of log.read()) {
    if (sequence !== next) throw new Error(`entry ${next} is missing`);
    next++;
    const version = versionOf('entry', data);
    const expected = entries.get(sequence);
    if (expected !== undefined && expected !== version) throw new Error(`entry ${sequence} is another one`);
  }
  for (const sequence of entries.keys()) if (sequence >= next) throw new Error(`entry ${sequence} is lost`);
  const { problems } = await log.verify();
  if (problems.length > 0) throw new Error(`${problems.length} segments do not verify`);
}

function expectAtLeast(name: string, value: Uint8Array | undefined, version: number): void {
  if (value === undefined) throw new Error(`${name} is lost`);
  const found = versionOf(name, value);
  if (found < version) throw new Error(`${name}: version ${version} is lost, there is ${found}`);
}

/** Searches every file below the directory for the marker. @returns the number of files */
export async function refusePlaintext(directory: string): Promise<number> {
  // The search must be able to find something.
  if (!Buffer.from(pattern('x', 1)).includes(MARKER)) throw new Error('the search finds nothing');
  let count = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.name.includes('file-') || entry.name.includes(MARKER))
      throw new Error(`${entry.name} shows a name`);
    if (!entry.isFile()) continue;
    count++;
    const bytes = await readFile(join(entry.parentPath, entry.name));
    if (bytes.includes(MARKER)) throw new Error(`${entry.name} holds plaintext`);
  }
  return count;
}
