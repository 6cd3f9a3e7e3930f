import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { type KeyValueStore, openEncryptedStore } from '../src/index.ts';
import { type AppendLog, type LogOptions, type LogRange, openLog } from '../src/log.ts';
import { createMemoryStore } from '../src/memory.ts';
import { asAnotherProcess } from './another-process.ts';
import { useDirectories } from './directories.ts';

const opened: AppendLog[] = [];
const newDirectory = useDirectories();
const key: Uint8Array = new Uint8Array(32).fill(7);
afterEach(async () => {
  await Promise.allSettled(opened.splice(0).map((log) => log[Symbol.asyncDispose]()));
});

export interface Opened {
  readonly log: AppendLog;
  readonly directory: string;
  readonly store: KeyValueStore;
  /** Closes the log and opens it again. */
  reopen(options?: Partial<LogOptions>): Promise<AppendLog>;
  /** Opens what a crash would leave: the files, and the store as it is now. */
  crash(options?: Partial<LogOptions>, store?: KeyValueStore): Promise<AppendLog>;
  /** The store as it is now, for a crash that loses what comes. */
  copyOfStore(): Promise<KeyValueStore>;
  /** The path of the first segment in the directory. */
  segment(): Promise<string>;
}

export async function open(options: Partial<LogOptions> = {}): Promise<Opened> {
  const directory = await newDirectory();
  const base = createMemoryStore();
  const encrypted = await openEncryptedStore(base, { key });
  const store = encrypted.namespace('log');
  const track = async (opening: Promise<AppendLog>): Promise<AppendLog> => {
    const log = await opening;
    opened.push(log);
    return log;
  };
  const copyOfStore = async (): Promise<KeyValueStore> => {
    const copy = createMemoryStore();
    for (const name of ['r', 'm']) {
      for await (const [k, v] of base.namespace(name).iterate()) await copy.namespace(name).put(k, v);
    }
    return (await openEncryptedStore(copy, { key })).namespace('log');
  };
  const log = await track(openLog(directory, { store, ...options }));
  return {
    log,
    directory,
    store,
    reopen: async (more = {}) => {
      await log[Symbol.asyncDispose]();
      return track(openLog(directory, { store, ...options, ...more }));
    },
    copyOfStore,
    crash: async (more = {}, copied = undefined) => {
      const whole = { store: copied ?? (await copyOfStore()), ...options, ...more };
      return track(openLog(directory, { ...whole, fileSystem: asAnotherProcess(whole.fileSystem) }));
    },
    segment: async () => join(directory, (await segmentsOf(directory))[0]!),
  };
}

export async function newStore(): Promise<KeyValueStore> {
  return openEncryptedStore(createMemoryStore(), { key });
}

export async function segmentsOf(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith('.nzl')).toSorted();
}

export async function all(log: AppendLog, range?: LogRange): Promise<string[]> {
  const found: string[] = [];
  for await (const { sequence, data } of log.read(range))
    found.push(`${sequence}:${new TextDecoder().decode(data)}`);
  return found;
}

export function text(value: string): Uint8Array {
  return new Uint8Array(new TextEncoder().encode(value));
}
