import { writeSync } from 'node:fs';
import type { BatchOperation } from '@nzcore/storage';
import { pattern, versionOf } from './pattern.ts';
import { openWorld, type World } from './world.ts';

// Writes to everything at once until it is killed. Each line that it prints was acknowledged, with sync, before.

const [directory = '', freshness = '', load = ''] = process.argv.slice(2);
const isCalm = load === 'calm';
const world = await openWorld(directory, { freshness: freshness === 'fresh' });

// The pipe must have the line before anything else happens.
const say = (...words: (string | number)[]): void => {
  writeSync(1, `${words.join(' ')}\n`);
};

say('ready');
await Promise.all([
  writeKeys(world, 'single'),
  writeKeys(world, 'other'),
  writeBatches(world),
  writeFiles(world, 0),
  writeFiles(world, 1),
  appendEntries(world),
  appendEntries(world),
  ...(isCalm ? [] : [rotateKeys(world), deleteKeys(world, 'gone')]),
]);

async function writeKeys({ store }: World, group: string): Promise<void> {
  const space = store.namespace(group);
  for (let i = 0; ; i++) {
    const name = `${group}-${i % 7}`;
    const key = new TextEncoder().encode(name);
    const old = await space.get(key);
    const version = old === undefined ? 1 : versionOf(name, old) + 1;
    const sync = i % 3 === 0;
    await space.put(key, pattern(name, version), { sync });
    if (sync) say('key', group, name, version);
  }
}

/** Puts and deletes in turn; versions grow over all processes, for what is deleted tells none. */
async function deleteKeys({ store }: World, group: string): Promise<void> {
  const space = store.namespace(group);
  let version = Date.now() * 1_000;
  for (let i = 0; ; i++) {
    const name = `${group}-${i % 5}`;
    const key = new TextEncoder().encode(name);
    version++;
    await space.put(key, pattern(name, version), { sync: true });
    say('key', group, name, version);
    say('deleting', name);
    await space.delete(key, { sync: i % 2 === 0 });
    if (i % 2 === 0) say('deleted', name, version);
  }
}

async function writeBatches({ store }: World): Promise<void> {
  const names = Array.from({ length: 10 }, (_, i) => `batch-${i}`);
  const space = store.namespace('batch');
  const first = await space.get(new TextEncoder().encode('batch-0'));
  for (let version = first === undefined ? 1 : versionOf('batch-0', first) + 1; ; version++) {
    const operations = names.map(
      (name, i): BatchOperation => ({
        type: 'put',
        key: new TextEncoder().encode(name),
        value: pattern(name, version),
        namespace: i % 2 === 0 ? [] : ['half'],
      }),
    );
    await space.batch(operations, { sync: true });
    say('batch', version);
  }
}

async function writeFiles({ files }: World, start: number): Promise<void> {
  for (let i = start; ; i += 2) {
    const name = `file-${i % 6}`;
    const old = await files.read(name);
    const version = old === undefined ? 1 : versionOf(name, old) + 1;
    // A change without sync is acknowledged too: the end of the process alone loses nothing.
    const sync = !isCalm || i % 3 === 0;
    await files.write(name, pattern(name, version), { sync });
    say('file', name, version);
  }
}

async function appendEntries({ log }: World): Promise<void> {
  for (let i = 0; ; i++) {
    const version = Math.floor(Math.random() * 1_000);
    const sync = i % 4 === 0;
    const sequence = await log.append(pattern('entry', version), { sync });
    if (sync) say('entry', sequence, version);
    if (i % 50 === 49) {
      const { sequence: reached, hash } = await log.checkpoint();
      say('checkpoint', reached, Buffer.from(hash).toString('hex'));
    }
  }
}

async function rotateKeys({ store, files, log }: World): Promise<void> {
  for (;;) {
    await store.rotateKey();
    await files.rotateKeys();
    await log.rotateKeys();
  }
}
