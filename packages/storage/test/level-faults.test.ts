import type * as fs from 'node:fs/promises';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openLevelStore } from '../src/level.ts';
import { useDirectories } from './directories.ts';

/** What cannot be opened, and why. */
const refused = vi.hoisted(() => ({ name: /^$/, code: '' }));

vi.mock('node:fs/promises', async (original) => {
  const real: typeof fs = await original();
  const open: typeof real.open = async (path, flags, mode) => {
    const handle = await real.open(path, flags, mode);
    if (!refused.name.test(String(path))) return handle;
    const fail = async (): Promise<never> => {
      throw Object.assign(new Error(`${refused.code}: injected`), { code: refused.code });
    };
    return Object.assign(handle, { read: fail, writeFile: fail });
  };
  return { ...real, open };
});

const newDirectory = useDirectories();
const key = Uint8Array.of(1);

afterEach(() => {
  refused.name = /^$/;
});

describe('opening a LevelDB store', () => {
  it.each([
    ['ENOSPC', 'NO_SPACE'],
    ['EIO', 'IO_ERROR'],
  ])('that cannot be marked (%s) is %s, and locks nothing: the next opening marks it', async (code, ours) => {
    const path = await newDirectory();
    Object.assign(refused, { name: /nzcore-store$/, code });
    await expect(openLevelStore(path)).rejects.toMatchObject({ code: ours });
    refused.name = /^$/;
    // As after a crash before the mark.
    await rm(join(path, 'nzcore-store'));
    {
      await using store = await openLevelStore(path);
      await store.put(key, key);
    }
    for (const name of await readdir(path)) if (name !== 'nzcore-store') await rm(join(path, name));
    await expect(openLevelStore(path)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });

  it('whose journal cannot be read is IO_ERROR with its name, not a corrupt store', async () => {
    const path = await newDirectory();
    {
      await using store = await openLevelStore(path);
      await store.put(key, key);
    }
    Object.assign(refused, { name: /\.log$/, code: 'EIO' });
    await expect(openLevelStore(path)).rejects.toMatchObject({
      code: 'IO_ERROR',
      message: expect.stringMatching(/\.log$/) as string,
    });
    refused.name = /^$/;
    await using store = await openLevelStore(path);
    expect(await store.get(key)).toEqual(key);
  });

  it('that is open and written to is STORE_LOCKED, never damaged, whenever one looks', async () => {
    const path = await newDirectory();
    await using store = await openLevelStore(path);
    let isOver = false;
    const value = new Uint8Array(30_000).fill(7);
    const write = async (): Promise<void> => {
      for (let i = 0; !isOver; i++) await store.put(Uint8Array.of(i), value);
    };
    const writing = write();
    for (let i = 0; i < 60; i++) {
      await expect(openLevelStore(path)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    }
    isOver = true;
    await writing;
  });
});
