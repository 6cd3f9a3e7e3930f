import { execFile } from 'node:child_process';
import { mkdir, readdir, readlink, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openFileStore } from '../src/files.ts';
import { type EncryptedStore, openEncryptedStore } from '../src/index.ts';
import { openLevelStore } from '../src/level.ts';
import { openLog } from '../src/log.ts';
import { createMemoryStore } from '../src/memory.ts';
import { useDirectories } from './directories.ts';

const newDirectory = useDirectories();
const key = new Uint8Array(32).fill(7);
const newStore = (): Promise<EncryptedStore> => openEncryptedStore(createMemoryStore(), { key });
const inUse = { code: 'DIRECTORY_IN_USE' };

describe.each([
  ['log', async (directory: string, store: EncryptedStore) => openLog(directory, { store })],
  [
    'file store',
    async (directory: string, store: EncryptedStore) => openFileStore(directory, { catalog: store }),
  ],
] as const)('a directory with a %s', (_name, open) => {
  it('is open once in a process, by whatever path, until it is closed', async () => {
    const parent = await newDirectory();
    const directory = join(parent, 'data');
    await mkdir(directory);
    await symlink(directory, join(parent, 'link'));
    const store = await newStore();
    const first = await open(directory, store);
    for (const path of [directory, `${directory}/`, join(parent, 'link'), join(parent, '.', 'data')]) {
      await expect(open(path, store)).rejects.toMatchObject(inUse);
    }
    await first[Symbol.asyncDispose]();
    const second = await open(join(parent, 'link'), store);
    // The first one was closed already: it gives nothing free a second time.
    await first[Symbol.asyncDispose]();
    await expect(open(directory, store)).rejects.toMatchObject(inUse);
    await second[Symbol.asyncDispose]();
  });

  it('is told from one that was removed while it was open, and from itself by nothing that changes', async () => {
    const directory = join(await newDirectory(), 'data');
    const removed: AsyncDisposable[] = [];
    for (let i = 0; i < 5; i++) {
      // The next directory gets the number of the removed one, unless that is held.
      removed.push(await open(directory, await newStore()));
      await rm(directory, { recursive: true });
    }
    const store = await newStore();
    const last = await open(directory, store);
    await writeFile(join(directory, 'note'), 'changes its times');
    await utimes(directory, 1, 1);
    await expect(open(directory, store)).rejects.toMatchObject(inUse);
    await last[Symbol.asyncDispose]();
    await Promise.allSettled(removed.map(async (opened) => opened[Symbol.asyncDispose]()));
  });

  it.runIf(process.platform === 'linux')(
    'keeps no directory open when it is closed, or was refused',
    async () => {
      const directory = join(await newDirectory(), 'data');
      const store = await newStore();
      const first = await open(directory, store);
      await expect(open(directory, store)).rejects.toMatchObject(inUse);
      await first[Symbol.asyncDispose]();
      const descriptors = await readdir('/proc/self/fd');
      const paths = await Promise.all(
        descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
      );
      expect(paths.filter((path) => path.startsWith(directory))).toEqual([]);
    },
  );

  it('is free again when opening failed, and of two openings at once one fails', async () => {
    const directory = await newDirectory();
    const store = await newStore();
    await (await open(directory, store))[Symbol.asyncDispose]();
    const other = await newStore();
    await (await open(await newDirectory(), other))[Symbol.asyncDispose]();
    for (let i = 0; i < 2; i++) {
      await expect(open(directory, other)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    }
    const openings = await Promise.allSettled([open(directory, store), open(directory, store)]);
    expect(openings.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    for (const opening of openings) {
      if (opening.status === 'fulfilled') await opening.value[Symbol.asyncDispose]();
    }
  });
});

it('of two first openings of a log at once, the one that is refused leaves no trace', async () => {
  const parent = await newDirectory();
  const directory = join(parent, 'log');
  // LevelDB: both openings look for the log's chain key before either has kept one.
  await using store = await openEncryptedStore(await openLevelStore(join(parent, 'store')), { key });
  const openings = await Promise.allSettled([openLog(directory, { store }), openLog(directory, { store })]);
  expect(openings.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  for (const opening of openings) {
    if (opening.status === 'rejected') continue;
    await opening.value.append(new Uint8Array(3), { sync: true });
    await opening.value[Symbol.asyncDispose]();
  }
  await using again = await openLog(directory, { store });
  expect(await again.verify()).toEqual({ entries: 1, problems: [] });
});

describe('two processes', () => {
  it('are kept apart by the lock of the store that holds the keys', async () => {
    const directory = await newDirectory();
    const store = await openEncryptedStore(await openLevelStore(join(directory, 'store')), { key });
    const log = await openLog(join(directory, 'log'), { store });
    const level = fileURLToPath(new URL('../src/level.ts', import.meta.url));
    const script = `import(${JSON.stringify(level)}).then(({ openLevelStore }) => openLevelStore(process.argv[1]))
      .then(() => console.log('opened'), (error) => console.log(error.code))`;
    const args = ['--import', 'tsx', '--conditions=@nzcore/source', '-e', script, join(directory, 'store')];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout.trim()).toBe('STORE_LOCKED');
    await log[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });
});
