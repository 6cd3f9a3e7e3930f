import { SecretBytes } from '@nzcore/crypto';
import { describe, expect, it } from 'vitest';
import { type EncryptedStoreOptions, type KeyValueStore, openEncryptedStore } from '../src/index.ts';
import { openLevelStore } from '../src/level.ts';
import { createMemoryStore } from '../src/memory.ts';
import { runKeyValueStoreSuite } from '../src/testing.ts';
import { useDirectories } from './directories.ts';

const newDirectory = useDirectories();
const key = new Uint8Array(32).fill(7);

const variants: [string, Partial<EncryptedStoreOptions>][] = [
  ['with clear keys', {}],
  ['with blinded keys', { blindKeys: true }],
  ['with freshness', { freshness: true }],
  ['with blinded keys and freshness', { blindKeys: true, freshness: true }],
];

for (const [name, options] of variants) {
  describe(`the encrypted store over memory, ${name}`, () => {
    runKeyValueStoreSuite({
      test: it,
      open: () => openEncryptedStore(createMemoryStore(), { key, ...options }),
    });
  });

  describe(`the encrypted store over LevelDB, ${name}`, () => {
    let directory = '';
    runKeyValueStoreSuite({
      test: it,
      open: async () => {
        directory = await newDirectory();
        return openEncryptedStore(await openLevelStore(directory), { key, ...options });
      },
      reopen: async (store) => {
        await store[Symbol.asyncDispose]();
        return openEncryptedStore(await openLevelStore(directory), { key });
      },
    });
  });
}

describe('verify', () => {
  it('reports a forged record whose key is longer than any of ours', async () => {
    const base = createMemoryStore({ limits: { maxKeyBytes: 1_000_000 } });
    await using store = await openEncryptedStore(base, { key, freshness: true });
    await store.put(Uint8Array.of(1), Uint8Array.of(2));
    await base.namespace('r').put(new Uint8Array(400_000), new Uint8Array(100));
    const { problems } = await store.verify();
    expect(problems.map(({ code }) => code)).toEqual(['UNSUPPORTED_FORMAT']);
  });
});

describe('opening an encrypted store', () => {
  it('takes SecretBytes and leaves them to the caller', async () => {
    using secret = SecretBytes.from(key.slice());
    await using store = await openEncryptedStore(createMemoryStore(), { key: secret });
    await store.put(bytes(1), bytes(2));
    expect(await store.get(bytes(1))).toEqual(bytes(2));
    expect(secret.isDisposed).toBe(false);
  });

  it('refuses another key with WRONG_KEY and leaves the base open', async () => {
    const base = createMemoryStore();
    await openEncryptedStore(base, { key });
    const attempt = openEncryptedStore(base, { key: new Uint8Array(32) });
    await expect(attempt).rejects.toMatchObject({ code: 'WRONG_KEY' });
    await base.put(bytes(1), bytes(1));
  });

  it('refuses a key of another length, and options that the store was not made with', async () => {
    const base = createMemoryStore();
    await expect(openEncryptedStore(base, { key: new Uint8Array(31) })).rejects.toThrow(RangeError);
    await openEncryptedStore(base, { key });
    await expect(openEncryptedStore(base, { key, blindKeys: true })).rejects.toThrow(TypeError);
    await expect(openEncryptedStore(base, { key, freshness: true })).rejects.toThrow(TypeError);
  });

  it('refuses a missing store with STORE_MISSING when none may be made', async () => {
    const attempt = openEncryptedStore(createMemoryStore(), { key, createIfMissing: false });
    await expect(attempt).rejects.toMatchObject({ code: 'STORE_MISSING' });
  });

  it('refuses data without a keyring with STORE_CORRUPT, never as an empty store', async () => {
    const base = createMemoryStore();
    const store = await openEncryptedStore(base, { key });
    await store.put(bytes(1), bytes(2));
    await base.namespace('m').delete(text('keyring'));
    await expect(openEncryptedStore(base, { key })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });

  it('refuses a keyring that was changed anywhere, with one of its codes', async () => {
    const base = createMemoryStore();
    await openEncryptedStore(base, { key });
    const meta = base.namespace('m');
    const keyring = (await meta.get(text('keyring')))!;
    const codes = new Set<string>();
    for (let i = 0; i < keyring.length; i++) {
      const changed = keyring.slice();
      changed[i]! ^= 1;
      await meta.put(text('keyring'), changed);
      codes.add(await openEncryptedStore(base, { key }).then(() => 'opened', codeOf));
      await meta.put(text('keyring'), keyring.subarray(0, i));
      codes.add(await openEncryptedStore(base, { key }).then(() => 'opened', codeOf));
    }
    expect([...codes].toSorted()).toEqual(['STORE_CORRUPT', 'UNSUPPORTED_FORMAT', 'WRONG_KEY']);
  });

  it('wraps its keys under another key without touching a record', async () => {
    const base = createMemoryStore();
    const store = await openEncryptedStore(base, { key });
    await store.put(bytes(1), bytes(2));
    const before = await base.namespace('r').get(bytes(0, 1));
    const other = new Uint8Array(32).fill(8);
    await store.rewrap(other);
    expect(await base.namespace('r').get(bytes(0, 1))).toEqual(before);
    await expect(openEncryptedStore(base, { key })).rejects.toMatchObject({ code: 'WRONG_KEY' });
    const again = await openEncryptedStore(base, { key: other });
    expect(await again.get(bytes(1))).toEqual(bytes(2));
  });
});

describe('an encrypted record', () => {
  it('is refused anywhere but in its place: swapped, copied to another namespace, changed or cut', async () => {
    const base = createMemoryStore();
    const store = await openEncryptedStore(base, { key });
    await store.put(bytes(1), text('one'));
    await store.put(bytes(2), text('two'));
    await store.namespace('a').put(bytes(1), text('below'));
    const records = base.namespace('r');
    const [one, two] = [(await records.get(bytes(0, 1)))!, (await records.get(bytes(0, 2)))!];
    const refuses = async (place: KeyValueStore, code = 'RECORD_CORRUPT') => {
      await expect(place.get(bytes(1))).rejects.toMatchObject({ code });
      await expect(place.iterate().nextMany(5)).rejects.toMatchObject({ code });
      expect((await store.verify()).problems).toMatchObject([{ code }]);
    };
    await records.put(bytes(0, 1), two);
    await refuses(store);
    for (let i = 0; i < one.length; i++) {
      const changed = one.slice();
      changed[i]! ^= 0x80;
      await records.put(bytes(0, 1), changed);
      await refuses(store, i === 0 ? 'UNSUPPORTED_FORMAT' : 'RECORD_CORRUPT');
      await records.put(bytes(0, 1), one.subarray(0, i));
      await refuses(store);
    }
    await records.put(bytes(0, 1), one);
    await records.put(bytes(1, 97, 0, 1), one);
    await refuses(store.namespace('a'));
  });

  it('leaves no plaintext below; with blinded keys no key and no name either', async () => {
    for (const blindKeys of [false, true]) {
      const base = createMemoryStore();
      const store = await openEncryptedStore(base, { key, blindKeys });
      await store.namespace('plain-name').put(text('plain-key'), text('plain-value'));
      let below = '';
      for (const namespace of ['r', 'm']) {
        for await (const [k, v] of base.namespace(namespace).iterate()) below += latin1(k) + latin1(v);
      }
      expect(below).not.toContain('plain-value');
      expect(below.includes('plain-key')).toBe(!blindKeys);
      expect(below.includes('plain-name')).toBe(!blindKeys);
    }
  });
});

describe('freshness', () => {
  const open = async (options: Partial<EncryptedStoreOptions> = {}) => {
    const base = createMemoryStore();
    const store = await openEncryptedStore(base, { key, freshness: true, ...options });
    await store.put(bytes(1), text('old'));
    const [entry] = await base.namespace('r').iterate().nextMany(1);
    return { base, store, place: entry![0], old: entry![1], records: base.namespace('r') };
  };

  it.each([false, true])('refuses a record that was rolled back (blinded: %s)', async (blindKeys) => {
    const { store, base, records, place, old } = await open({ blindKeys });
    await store.put(bytes(1), text('new'));
    await records.put(place, old);
    await expect(store.get(bytes(1))).rejects.toMatchObject({ code: 'RECORD_ROLLED_BACK' });
    await expect(store.iterate().nextMany(5)).rejects.toMatchObject({ code: 'RECORD_ROLLED_BACK' });
    expect((await store.verify()).problems).toMatchObject([{ code: 'RECORD_ROLLED_BACK' }]);
    await expect(openEncryptedStore(base, { key })).rejects.toMatchObject({ code: 'STORE_ROLLED_BACK' });
  });

  it.each([false, true])('refuses the absence of a record (blinded: %s)', async (blindKeys) => {
    const { store, base, records, place } = await open({ blindKeys });
    await records.delete(place);
    await expect(store.get(bytes(1))).rejects.toMatchObject({ code: 'RECORD_ROLLED_BACK' });
    await expect(store.iterate().nextMany(5)).rejects.toMatchObject({ code: 'RECORD_ROLLED_BACK' });
    expect((await store.verify()).problems).toMatchObject([{ code: 'RECORD_ROLLED_BACK' }]);
    await expect(openEncryptedStore(base, { key })).rejects.toMatchObject({ code: 'STORE_ROLLED_BACK' });
  });

  it('refuses a deleted record that was brought back', async () => {
    const { store, base, records, place, old } = await open();
    await store.delete(bytes(1));
    await records.put(place, old);
    await expect(store.get(bytes(1))).rejects.toMatchObject({ code: 'RECORD_ROLLED_BACK' });
    await expect(store.iterate().nextMany(5)).rejects.toMatchObject({ code: 'RECORD_ROLLED_BACK' });
    await expect(openEncryptedStore(base, { key })).rejects.toMatchObject({ code: 'STORE_ROLLED_BACK' });
  });

  it('opens such a store when its owner accepts it', async () => {
    const { store, base, records, place, old } = await open();
    await store.put(bytes(1), text('new'));
    await records.put(place, old);
    const accepted = await openEncryptedStore(base, { key, acceptRollback: true });
    expect(await accepted.get(bytes(1))).toEqual(text('old'));
    await accepted.put(bytes(2), bytes(2));
    const again = await openEncryptedStore(base, { key });
    expect(await again.get(bytes(1))).toEqual(text('old'));
  });

  it('refuses an anchor that is damaged, and one that is gone', async () => {
    const { base } = await open();
    const meta = base.namespace('m');
    const anchor = (await meta.get(text('anchor')))!;
    await meta.put(text('anchor'), anchor.with(40, anchor[40]! ^ 1));
    await expect(openEncryptedStore(base, { key })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await meta.put(text('anchor'), anchor.subarray(1));
    await expect(openEncryptedStore(base, { key })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await meta.delete(text('anchor'));
    await expect(openEncryptedStore(base, { key })).rejects.toMatchObject({ code: 'STORE_ROLLED_BACK' });
  });

  it('finds an old copy of the whole store by a checkpoint that is kept elsewhere', async () => {
    const { store, base } = await open();
    const copy = createMemoryStore();
    for (const name of ['r', 'm']) {
      for await (const [k, v] of base.namespace(name).iterate()) await copy.namespace(name).put(k, v);
    }
    const earlier = store.checkpoint()!;
    await store.put(bytes(1), text('new'));
    const notBefore = store.checkpoint()!;
    await openEncryptedStore(copy, { key, notBefore: earlier });
    const attempt = openEncryptedStore(copy, { key, notBefore });
    await expect(attempt).rejects.toMatchObject({ code: 'STORE_ROLLED_BACK' });
    const fork = await openEncryptedStore(copy, { key });
    await fork.put(bytes(1), text('fork'));
    const forked = openEncryptedStore(copy, { key, notBefore });
    await expect(forked).rejects.toMatchObject({ code: 'STORE_ROLLED_BACK' });
    await openEncryptedStore(base, { key, notBefore });
  });

  it('believes reads that overlap with writes, and snapshots', async () => {
    const { store } = await open();
    await using snapshot = store.snapshot();
    const writes = Array.from({ length: 200 }, (_, i) => store.put(bytes(i % 10), bytes(i)));
    const reads = Array.from({ length: 200 }, (_, i) => store.get(bytes(i % 10)));
    const walks = Array.from({ length: 5 }, () => store.iterate().nextMany(100));
    await Promise.all([...writes, ...reads, ...walks]);
    expect(await snapshot.get(bytes(1))).toEqual(text('old'));
    expect((await snapshot.iterate().nextMany(5)).length).toBe(1);
    expect((await store.verify()).problems).toEqual([]);
  });
});

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

function text(value: string): Uint8Array {
  return new Uint8Array(new TextEncoder().encode(value));
}

function latin1(value: Uint8Array): string {
  return String.fromCharCode(...value);
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? String(error);
}
