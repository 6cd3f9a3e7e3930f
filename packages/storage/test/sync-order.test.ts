import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createFileCatalog } from '../src/files/file-catalog.ts';
import { createFileContents } from '../src/files/file-contents.ts';
import { createReplacedFiles } from '../src/files/replaced-files.ts';
import { openFileStore } from '../src/files.ts';
import { type KeyValueStore, openEncryptedStore } from '../src/index.ts';
import { openLog } from '../src/log.ts';
import { createMemoryStore } from '../src/memory.ts';
import { useDirectories } from './directories.ts';
import { createTracedFileSystem } from './faulty-file-system.ts';
import { open as openTestLog, text } from './opened-log.ts';

const newDirectory = useDirectories();

/** A store whose writes are in the trace, between those of the files. */
async function tracedStore(trace: string[]): Promise<KeyValueStore> {
  const traced = (store: KeyValueStore): KeyValueStore =>
    new Proxy(store, {
      get: (target, name) => {
        const value = Reflect.get(target, name) as unknown;
        if (typeof value !== 'function') return value;
        if (name === 'namespace') return (path: string) => traced(target.namespace(path));
        if (!['put', 'batch', 'delete'].includes(String(name))) return value.bind(target) as unknown;
        return async (...args: unknown[]) => {
          await value.apply(target, args);
          const options = args.at(-1) as { sync?: boolean } | undefined;
          trace.push(options?.sync === true ? 'store, durably' : 'store');
        };
      },
    });
  return traced(await openEncryptedStore(createMemoryStore(), { key: new Uint8Array(32) }));
}

it('a file is on the disk before its name, its name before the catalog, and the old one goes last', async () => {
  const { fileSystem, trace } = createTracedFileSystem();
  await using files = await openFileStore(join(await newDirectory(), 'files'), {
    catalog: await tracedStore(trace),
    fileSystem,
  });
  const written = ['write id.tmp', 'sync id.tmp', 'rename id.tmp id.nzf', 'sync directory', 'store, durably'];
  trace.length = 0;
  await files.write('name', text('first'));
  expect(trace).toEqual(written);
  trace.length = 0;
  await files.write('name', text('second'));
  expect(trace).toEqual([...written, 'remove id.nzf']);
  trace.length = 0;
  await files.delete('name');
  expect(trace).toEqual(['store, durably', 'remove id.nzf']);
});

it('a change without sync is made durable in the same order, and only then the old file goes', async () => {
  const { fileSystem, trace } = createTracedFileSystem();
  await using files = await openFileStore(join(await newDirectory(), 'files'), {
    catalog: await tracedStore(trace),
    fileSystem,
  });
  await files.write('name', text('first'));
  trace.length = 0;
  await files.write('name', text('second'), { sync: false });
  expect(trace).toEqual(['write id.tmp', 'rename id.tmp id.nzf', 'store']);
  trace.length = 0;
  await files.compact();
  expect(trace.indexOf('sync id.nzf')).toBeGreaterThanOrEqual(0);
  expect(trace.indexOf('sync id.nzf')).toBeLessThan(trace.indexOf('sync directory'));
  expect(trace.indexOf('sync directory')).toBeLessThan(trace.indexOf('store, durably'));
  expect(trace.at(-1)).toBe('remove id.nzf');
});

it.each(['compact', 'close'])(
  'a new name that was written without sync is made durable too (%s)',
  async (how) => {
    const { fileSystem, trace } = createTracedFileSystem();
    const files = await openFileStore(join(await newDirectory(), 'files'), {
      catalog: await tracedStore(trace),
      fileSystem,
    });
    await files.write('new', text('content'), { sync: false });
    await files.write('gone', text('content'), { sync: false });
    await files.delete('gone', { sync: false });
    trace.length = 0;
    await (how === 'compact' ? files.compact() : files[Symbol.asyncDispose]());
    expect(trace.slice(0, 3)).toEqual(['sync id.nzf', 'sync directory', 'store, durably']);
    // The deletion of `gone`, whose content was kept until then.
    expect(trace.slice(3)).toEqual(['store, durably', 'remove id.nzf']);
    trace.length = 0;
    if (how === 'compact') await files.compact();
    await files[Symbol.asyncDispose]();
    expect(trace).toEqual([]);
  },
);

it('new names that were written without sync are made durable when there are thousands', async () => {
  const { fileSystem, trace } = createTracedFileSystem();
  const replaced = createReplacedFiles(
    createFileCatalog(await tracedStore(trace)),
    createFileContents(fileSystem, await newDirectory()),
  );
  let names = 0;
  for (; !replaced.isFull; names++) {
    await replaced.change(`name ${names}`, { entry: undefined, old: undefined }, false);
  }
  expect(names).toBe(4_097);
  for (const name of replaced.names()) await replaced.settle(name);
  expect(replaced.names()).toEqual([]);
  expect(replaced.isFull).toBe(false);
});

it('an entry is on the disk before it is acknowledged, and a segment with its name before its key', async () => {
  const { fileSystem, trace } = createTracedFileSystem();
  const directory = join(await newDirectory(), 'log');
  await using log = await openLog(directory, { store: await tracedStore(trace), fileSystem });
  trace.length = 0;
  await log.append(text('entry'), { sync: true });
  expect(trace.slice(0, 2)).toEqual(['write id.nzl', 'sync id.nzl']);
  trace.length = 0;
  await log.rotate();
  const created = trace.filter((call) => !call.startsWith('store'));
  expect(created.slice(-3)).toEqual(['write id.nzl', 'sync id.nzl', 'sync directory']);
  expect(trace.lastIndexOf('store, durably')).toBeGreaterThan(trace.indexOf('sync directory'));
});

it('a damaged tail is on the disk in its own file before it is cut', async () => {
  const { log, segment, crash } = await openTestLog();
  await log.append(text('entry 0'), { sync: true });
  await writeFile(await segment(), Buffer.concat([await readFile(await segment()), new Uint8Array(100)]));
  const { fileSystem, trace } = createTracedFileSystem();
  await crash({ fileSystem });
  expect(trace.slice(0, 5)).toEqual([
    'write id-1.torn',
    'sync id-1.torn',
    'sync directory',
    'truncate id.nzl',
    'sync id.nzl',
  ]);
});
