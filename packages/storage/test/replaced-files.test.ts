import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FileStore, openFileStore } from '../src/files.ts';
import { type KeyValueStore, openEncryptedStore } from '../src/index.ts';
import { createMemoryStore } from '../src/memory.ts';
import { asAnotherProcess } from './another-process.ts';
import { useDirectories } from './directories.ts';

const newDirectory = useDirectories();
const key = new Uint8Array(32).fill(7);
const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value));

/** A power loss keeps what was synced; of the rest the tests choose. */
async function begun(): Promise<{
  files: FileStore;
  directory: string;
  contents(): Promise<string[]>;
  afterCrash(catalog?: KeyValueStore): Promise<FileStore>;
  catalog: KeyValueStore;
  copyOfCatalog(): Promise<KeyValueStore>;
}> {
  const directory = await newDirectory();
  const base = createMemoryStore();
  const catalog = await openEncryptedStore(base, { key });
  const files = await openFileStore(directory, { catalog });
  await files.write('file', text('old'));
  return {
    files,
    directory,
    catalog,
    contents: async () => (await readdir(directory)).filter((name) => name.endsWith('.nzf')),
    afterCrash: (other = catalog) =>
      openFileStore(directory, { catalog: other, fileSystem: asAnotherProcess() }),
    copyOfCatalog: async () => {
      const copy = createMemoryStore();
      for (const name of ['r', 'm']) {
        for await (const [k, v] of base.namespace(name).iterate()) await copy.namespace(name).put(k, v);
      }
      return openEncryptedStore(copy, { key });
    },
  };
}

describe('a content that was replaced without sync', () => {
  it.each(['cut', 'zeros', 'missing'])(
    'is there again when a power loss took the new one (%s)',
    async (loss) => {
      const { files, directory, contents, afterCrash } = await begun();
      const [old] = await contents();
      await files.write('file', text('new'), { sync: false });
      expect(await files.read('file')).toEqual(text('new'));
      const path = join(directory, (await contents()).find((name) => name !== old)!);
      if (loss === 'cut') await truncate(path);
      if (loss === 'zeros') await writeFile(path, new Uint8Array((await readFile(path)).length));
      if (loss === 'missing') await rm(path);
      const again = await afterCrash();
      expect(again.restored).toEqual(['file']);
      expect(await again.read('file')).toEqual(text('old'));
      expect(await contents()).toEqual([old]);
      await again[Symbol.asyncDispose]();
      const later = await afterCrash();
      expect(later.restored).toEqual([]);
      expect(await later.read('file')).toEqual(text('old'));
    },
  );

  it('is there when the catalog lost the change', async () => {
    const { files, copyOfCatalog, afterCrash } = await begun();
    const before = await copyOfCatalog();
    await files.write('file', text('second'), { sync: false });
    await files.write('file', text('third'), { sync: false });
    await files.delete('file', { sync: false });
    const again = await afterCrash(before);
    expect(await again.read('file')).toEqual(text('old'));
    expect(await again.compact()).toEqual({ removed: 0 });
  });

  it('gives way to a new one that arrived as a whole', async () => {
    const { files, contents, afterCrash } = await begun();
    await files.write('file', text('new'), { sync: false });
    expect((await contents()).length).toBe(2);
    const again = await afterCrash();
    expect(again.restored).toEqual([]);
    expect(await again.read('file')).toEqual(text('new'));
    expect((await contents()).length).toBe(1);
  });

  it('outlives several changes, of which none was durable', async () => {
    const { files, directory, contents, afterCrash } = await begun();
    const [old] = await contents();
    for (const value of ['second', 'third']) await files.write('file', text(value), { sync: false });
    await files.delete('file', { sync: false });
    await files.write('file', text('fourth'), { sync: false });
    const [last, ...others] = (await contents()).filter((name) => name !== old);
    expect(others).toEqual([]);
    await truncate(join(directory, last!), 30);
    const again = await afterCrash();
    expect(await again.read('file')).toEqual(text('old'));
  });

  it('stays deleted when the deletion arrived', async () => {
    const { files, contents, afterCrash } = await begun();
    await files.delete('file', { sync: false });
    expect(await files.read('file')).toBeUndefined();
    expect((await contents()).length).toBe(1);
    const again = await afterCrash();
    expect(await again.read('file')).toBeUndefined();
    expect(await contents()).toEqual([]);
  });

  it.each(['compact', 'sync', 'close', 'delete'])('goes when the new one lasts (%s)', async (how) => {
    const { files, contents, afterCrash, directory } = await begun();
    await files.write('file', text('new'), { sync: false });
    if (how === 'compact') expect(await files.compact()).toEqual({ removed: 0 });
    if (how === 'sync') await files.write('file', text('new'));
    if (how === 'close') await files[Symbol.asyncDispose]();
    if (how === 'delete') await files.delete('file');
    const left = await contents();
    expect(left.length).toBe(how === 'delete' ? 0 : 1);
    if (how === 'delete') return;
    // From here on the older content is nobody's any more: damage is damage.
    await truncate(join(directory, left[0]!), 30);
    const again = await afterCrash();
    expect(again.restored).toEqual([]);
    await expect(again.read('file')).rejects.toMatchObject({ code: 'FILE_TRUNCATED' });
  });

  it('is kept of so many names only', async () => {
    const { files, contents } = await begun();
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 100; i++) await files.write(`name ${i}`, text(`${round}`), { sync: false });
    }
    expect((await contents()).length).toBeLessThanOrEqual(101 + 64);
    expect((await files.stats()).files).toBe(101);
  });

  it('is not taken away by compact when the new one was', async () => {
    const { files, directory, contents, afterCrash } = await begun();
    const [old] = await contents();
    await files.write('file', text('new'), { sync: false });
    await rm(join(directory, (await contents()).find((name) => name !== old)!));
    await files.compact();
    expect(await contents()).toEqual([old]);
    expect(await (await afterCrash()).read('file')).toEqual(text('old'));
  });
});
