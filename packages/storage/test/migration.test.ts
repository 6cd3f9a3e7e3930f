import { describe, expect, it } from 'vitest';
import { type KeyValueStore, type Migration, migrateStore } from '../src/index.ts';
import { createMemoryStore } from '../src/memory.ts';

const key = Uint8Array.of(1);
const append =
  (byte: number): Migration =>
  async (store) => {
    await store.put(key, Uint8Array.of(...((await store.get(key)) ?? []), byte));
  };

describe('migration', () => {
  it('brings a store forward one version after the other, once', async () => {
    const store = createMemoryStore();
    await store.put(key, Uint8Array.of(1));
    const migrations = { 2: append(2), 3: append(3) };
    expect(await migrateStore(store, { version: 3, migrations })).toEqual({ from: 1, to: 3 });
    expect(await store.get(key)).toEqual(Uint8Array.of(1, 2, 3));
    expect(await migrateStore(store, { version: 3, migrations })).toEqual({ from: 3, to: 3 });
    expect(await store.get(key)).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('gives an empty store the version of the program', async () => {
    const store = createMemoryStore();
    expect(await migrateStore(store, { version: 2, migrations: { 2: append(2) } })).toEqual({
      from: 0,
      to: 2,
    });
    expect(await store.get(key)).toBeUndefined();
  });

  it('refuses a store of a later version with SCHEMA_TOO_NEW', async () => {
    const store = createMemoryStore();
    await migrateStore(store, { version: 2, migrations: { 2: append(2) } });
    const attempt = migrateStore(store, { version: 1, migrations: {} });
    await expect(attempt).rejects.toMatchObject({ code: 'SCHEMA_TOO_NEW' });
  });

  it('stops at a migration that fails, and goes on there the next time', async () => {
    const store = createMemoryStore();
    await store.put(key, Uint8Array.of(1));
    const cause = new Error('broken');
    const broken: Migration = () => Promise.reject(cause);
    const attempt = migrateStore(store, { version: 3, migrations: { 2: append(2), 3: broken } });
    await expect(attempt).rejects.toMatchObject({ code: 'MIGRATION_FAILED', cause });
    const report = await migrateStore(store, { version: 3, migrations: { 2: broken, 3: append(3) } });
    expect(report).toEqual({ from: 2, to: 3 });
    expect(await store.get(key)).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('refuses a damaged version, a gap in the migrations, and ends at its signal', async () => {
    const store: KeyValueStore = createMemoryStore();
    await expect(migrateStore(store, { version: 3, migrations: { 3: append(3) } })).rejects.toThrow(
      RangeError,
    );
    await expect(migrateStore(store, { version: 0, migrations: {} })).rejects.toThrow(RangeError);
    const signal = AbortSignal.abort(new SyntaxError('enough'));
    await expect(migrateStore(store, { version: 1, migrations: {}, signal })).rejects.toThrow(SyntaxError);
    await store.namespace('nz-schema').put(new TextEncoder().encode('version'), Uint8Array.of(1));
    const attempt = migrateStore(store, { version: 1, migrations: {} });
    await expect(attempt).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });
});
