import { readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEncryptedStore } from '../src/index.ts';
import { createGetGroups } from '../src/level/get-groups.ts';
import { openLevelStore } from '../src/level.ts';
import { runKeyValueStoreSuite } from '../src/testing.ts';
import { useDirectories } from './directories.ts';

const newDirectory = useDirectories();
const key = Uint8Array.of(1);
const value = Uint8Array.of(2);

describe('the LevelDB store', () => {
  let directory = '';
  runKeyValueStoreSuite({
    test: it,
    open: async () => {
      directory = await newDirectory();
      return openLevelStore(directory);
    },
    reopen: async (store) => {
      await store[Symbol.asyncDispose]();
      return openLevelStore(directory);
    },
  });
});

describe('opening a LevelDB store', () => {
  it('makes a directory that only its owner can enter', async () => {
    const path = join(await newDirectory(), 'a', 'b');
    await using _store = await openLevelStore(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
  });

  it('refuses a second opening with STORE_LOCKED, and the first one goes on', async () => {
    const path = await newDirectory();
    await using store = await openLevelStore(path);
    await expect(openLevelStore(path)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    await store.put(key, value);
    expect(await store.get(key)).toEqual(value);
  });

  it('refuses a missing store with STORE_MISSING when none may be made', async () => {
    const path = join(await newDirectory(), 'none');
    await expect(openLevelStore(path, { createIfMissing: false })).rejects.toMatchObject({
      code: 'STORE_MISSING',
    });
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses with the reason of a signal', async () => {
    const signal = AbortSignal.abort(new RangeError('enough'));
    await expect(openLevelStore(await newDirectory(), { signal })).rejects.toThrow(RangeError);
  });

  it.runIf(process.platform === 'linux')(
    'ends with IO_ERROR where the system lets nobody make a directory',
    async () => {
      for (const path of ['/proc/nope', '/proc/nope/store']) {
        await expect(openLevelStore(path)).rejects.toMatchObject({ code: 'IO_ERROR' });
      }
    },
  );

  it('names a directory that is a file IO_ERROR', async () => {
    const path = join(await newDirectory(), 'file');
    await writeFile(path, 'x');
    await expect(openLevelStore(path)).rejects.toMatchObject({ code: 'IO_ERROR' });
  });
});

describe('an empty batch', () => {
  it.each(['plain', 'encrypted'])(
    'with sync makes what was written before last, in a %s store',
    async (kind) => {
      const path = await newDirectory();
      const base = await openLevelStore(path);
      await using store =
        kind === 'plain' ? base : await openEncryptedStore(base, { key: new Uint8Array(32) });
      await store.put(key, value);
      const name = join(path, (await readdir(path)).find((file) => file.endsWith('.log'))!);
      const { size } = await stat(name);
      await store.batch([]);
      expect((await stat(name)).size).toBe(size);
      // LevelDB syncs its journal with a record that it writes there, and with nothing else.
      await store.batch([], { sync: true });
      expect((await stat(name)).size).toBeGreaterThan(size);
      expect(await store.verify()).toEqual({ entries: 1, problems: [] });
    },
  );
});

describe('many gets of one turn', () => {
  it('each give their own value, whatever is missing or empty, from the store and from a snapshot', async () => {
    await using store = await openLevelStore(await newDirectory());
    const keys = Array.from({ length: 300 }, (_, i) => Uint8Array.of(i >> 8, i));
    const expected = keys.map((_, i) => (i % 3 === 0 ? undefined : new Uint8Array(i % 7).fill(i)));
    const puts = keys.flatMap((k, i) =>
      expected[i] === undefined ? [] : [{ type: 'put' as const, key: k, value: expected[i] }],
    );
    await store.batch(puts);
    await using snapshot = store.snapshot();
    expect(await Promise.all(keys.map((k) => store.get(k)))).toEqual(expected);
    await store.batch(keys.map((k) => ({ type: 'delete', key: k })));
    expect(await Promise.all(keys.map((k) => snapshot.get(k)))).toEqual(expected);
    expect(await store.get(keys[1]!)).toBeUndefined();
  });

  it('end with a value when the store is closed in the same turn', async () => {
    const store = await openLevelStore(await newDirectory());
    await store.put(key, value);
    const gets = [store.get(key), store.get(key), store.get(Uint8Array.of(9))];
    const [values] = await Promise.all([Promise.all(gets), store[Symbol.asyncDispose]()]);
    expect(values).toEqual([value, value, undefined]);
  });

  it('fail alone: one damaged key does not take the others with it', async () => {
    const bad = Uint8Array.of(66);
    const asked: number[] = [];
    const groups = createGetGroups({
      get: async (k) => {
        if (k[0] === bad[0]) throw new Error('damaged');
        return k;
      },
      getMany: async (keys) => {
        asked.push(keys.length);
        throw new Error('damaged');
      },
    });
    const results = await Promise.allSettled([1, 66, 3].map((k) => groups.get(Uint8Array.of(k))));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(asked).toEqual([3]);
  });
});

describe('a corrupt LevelDB store is STORE_CORRUPT, never empty', () => {
  const filled = async () => {
    const path = await newDirectory();
    await using store = await openLevelStore(path);
    await store.put(key, new Uint8Array(100_000).fill(7), { sync: true });
    await store.compact();
    return path;
  };

  const refuses = async (path: string) => {
    const before = (await readdir(path)).filter((name) => name.endsWith('.ldb'));
    await expect(openLevelStore(path)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    const after = (await readdir(path)).filter((name) => name.endsWith('.ldb'));
    expect(after).toEqual(before);
  };

  it('without its CURRENT file', async () => {
    const path = await filled();
    await rm(join(path, 'CURRENT'));
    await refuses(path);
  });

  it('with an empty or a wrong CURRENT file', async () => {
    const path = await filled();
    await truncate(join(path, 'CURRENT'));
    await refuses(path);
    await writeFile(join(path, 'CURRENT'), 'MANIFEST-999999\n');
    await refuses(path);
  });

  it('with an empty or a damaged manifest', async () => {
    const path = await filled();
    const name = (await readdir(path)).find((file) => file.startsWith('MANIFEST'))!;
    const bytes = await readFile(join(path, name));
    bytes[10]! ^= 0xff;
    await writeFile(join(path, name), bytes);
    await refuses(path);
    await truncate(join(path, name));
    await refuses(path);
  });

  it('without one of its tables', async () => {
    const path = await filled();
    const name = (await readdir(path)).find((file) => file.endsWith('.ldb'))!;
    await rm(join(path, name));
    await expect(openLevelStore(path)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });

  describe('with a journal', () => {
    const journal = async () => {
      const path = await newDirectory();
      {
        await using store = await openLevelStore(path);
        for (let i = 0; i < 400; i++) await store.put(Uint8Array.of(i >> 8, i), new Uint8Array(200).fill(i));
      }
      const name = join(path, (await readdir(path)).find((file) => file.endsWith('.log'))!);
      return { path, name, bytes: await readFile(name) };
    };

    it.each([
      ['its first bytes', 0],
      ['a checksum', 249 * 3],
      ['a length', 249 * 3 + 4],
      ['a type', 249 * 3 + 6],
      ['a key or value', 1_000],
      ['the beginning of the second block', 32_768],
      ['the last record but one of a block', 32_300],
    ])('damaged in %s, and every other bit of it', async (_what, at) => {
      const { path, name, bytes } = await journal();
      for (let bit = 0; bit < 8; bit++) {
        const damaged = new Uint8Array(bytes);
        damaged[at]! ^= 1 << bit;
        await writeFile(name, damaged);
        await expect(openLevelStore(path)).rejects.toThrow(`${name} is damaged at byte`);
        expect((await readFile(name)).equals(damaged)).toBe(true);
      }
    });

    it('torn at its end or followed by zeros is opened: nobody was promised what is missing', async () => {
      for (const end of [90_000, 90_001, 90_006, 90_007, 90_100]) {
        const { path, name, bytes } = await journal();
        const tail = new Uint8Array(end % 2 === 0 ? 5_000 : 0);
        await writeFile(name, Buffer.concat([bytes.subarray(0, end), tail]));
        await using store = await openLevelStore(path);
        expect(await store.get(Uint8Array.of(0, 0))).toEqual(new Uint8Array(200));
      }
    });
  });

  it('with only the marker left', async () => {
    const path = await filled();
    for (const name of await readdir(path)) if (name !== 'nzcore-store') await rm(join(path, name));
    await refuses(path);
  });
});
