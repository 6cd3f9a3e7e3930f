import { describe, expect, it } from 'vitest';
import { openQuotaStore } from '../src/index.ts';
import { createMemoryStore } from '../src/memory.ts';
import { runKeyValueStoreSuite } from '../src/testing.ts';

describe('a store with a quota', () => {
  runKeyValueStoreSuite({ test: it, open: () => openQuotaStore(createMemoryStore(), {}) });

  it('refuses to grow beyond its bytes, keys and namespaces included, and counts what is given back', async () => {
    const store = await openQuotaStore(createMemoryStore(), { maxBytes: 10 });
    const below = store.namespace('a');
    await store.put(bytes(1), new Uint8Array(5));
    await expect(below.put(bytes(1), new Uint8Array(4))).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    await below.put(bytes(1), new Uint8Array(3));
    await store.put(bytes(1), new Uint8Array(2));
    await store.batch([
      { type: 'put', key: bytes(2), value: new Uint8Array(50) },
      { type: 'put', key: bytes(2), value: new Uint8Array(0), namespace: [] },
    ]);
    const together = [store.put(bytes(3), new Uint8Array(1)), store.put(bytes(4), new Uint8Array(1))];
    expect((await Promise.allSettled(together)).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
    ]);
    await store.delete(bytes(3));
    await store.put(bytes(4), new Uint8Array(1));
  });

  it('counts what was there before, and lets it shrink even when it is too much', async () => {
    const base = createMemoryStore();
    for (let i = 0; i < 5; i++) await base.put(bytes(i), bytes(1, 2));
    const store = await openQuotaStore(base, { maxEntries: 3 });
    await expect(store.put(bytes(9), bytes())).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    await store.put(bytes(1), bytes());
    for (let i = 0; i < 3; i++) await store.delete(bytes(i));
    await store.put(bytes(9), bytes());
    await expect(store.put(bytes(8), bytes())).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
  });

  it('refuses a limit that is none', async () => {
    await expect(openQuotaStore(createMemoryStore(), { maxBytes: -1 })).rejects.toThrow(RangeError);
  });
});

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}
