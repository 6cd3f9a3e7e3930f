import { describe, expect, it } from 'vitest';
import { type EncryptedStore, type KeyValueStore, openEncryptedStore } from '../src/index.ts';
import { createMemoryStore } from '../src/memory.ts';

const key = new Uint8Array(32).fill(7);
const COUNT = 1_000;

describe('rotation of the data key', () => {
  it.each([
    ['plain', {}],
    ['blinded', { blindKeys: true }],
    ['fresh', { freshness: true }],
  ])('seals everything anew while reads and writes go on (%s)', async (_name, options) => {
    const base = createMemoryStore();
    const store = await filled(base, options);
    await using snapshot = store.snapshot();
    const walk = store.iterate();
    await walk.next();
    let isRotating = true;
    const rotation = store.rotateKey().finally(() => {
      isRotating = false;
    });
    let writes = 0;
    while (isRotating) {
      const i = writes++ % COUNT;
      await store.put(keyOf(i), Uint8Array.of(9));
      expect(await store.get(keyOf(i))).toEqual(Uint8Array.of(9));
      expect(await store.get(keyOf(COUNT - 1))).toBeDefined();
      if (writes > 200_000) throw new Error('the rotation does not end');
    }
    const report = await rotation;
    expect(report.seen).toBeGreaterThanOrEqual(COUNT);
    expect(await dataKeyIds(base)).toEqual(new Set([2]));
    expect(store.isRotating()).toBe(false);
    expect(await snapshot.get(keyOf(0))).toEqual(Uint8Array.of(0, 0));
    expect((await walk.nextMany(10)).length).toBe(10);
    await checkAll(await openEncryptedStore(base, { key }), writes);
  });

  it('goes on after a crash at any of its writes', async () => {
    for (let crashAt = 0; ; crashAt++) {
      const base = createMemoryStore();
      await filled(base);
      const { failing, hasFailed } = failingAfter(base, crashAt);
      const store = await openEncryptedStore(failing, { key });
      await store.rotateKey().catch(() => {});
      const reopened = await openEncryptedStore(base, { key });
      expect(await reopened.get(keyOf(5))).toEqual(Uint8Array.of(5, 0));
      await reopened.rotateKey();
      expect((await dataKeyIds(base)).size).toBe(1);
      expect(reopened.isRotating()).toBe(false);
      await checkAll(reopened, 0);
      if (!hasFailed()) return;
    }
  });

  it('stops at its signal and is resumed by the next call', async () => {
    const base = createMemoryStore();
    const store = await filled(base);
    const controller = new AbortController();
    const rotation = store.rotateKey({
      signal: controller.signal,
      onProgress: () => controller.abort(new RangeError('enough')),
    });
    await expect(rotation).rejects.toThrow(RangeError);
    expect(store.isRotating()).toBe(true);
    expect((await dataKeyIds(base)).size).toBe(2);
    await store.rotateKey();
    expect(await dataKeyIds(base)).toEqual(new Set([2]));
  });

  it.each([
    ['plain', {}],
    ['fresh', { freshness: true }],
  ])(
    'is not stopped by a damaged record: it is reported, and its owner decides (%s)',
    async (_name, options) => {
      const base = createMemoryStore();
      const store = await filled(base, options);
      const records = base.namespace('r');
      const [damaged, unknown] = await records.iterate({ limit: 2 }).nextMany(2);
      const flipped = new Uint8Array(damaged![1]);
      flipped[40]! ^= 1;
      await records.put(damaged![0], flipped);
      await records.put(unknown![0], Uint8Array.of(2, ...unknown![1].subarray(1)));
      const problems = [
        { code: 'RECORD_CORRUPT', key: damaged![0] },
        { code: 'UNSUPPORTED_FORMAT', key: unknown![0] },
      ];
      const report = await store.rotateKey();
      expect(report).toEqual({ seen: COUNT + 1, resealed: COUNT - 1, problems });
      expect(store.isRotating()).toBe(true);
      expect(await store.get(keyOf(500))).toEqual(Uint8Array.of(500 & 0xff, 0));
      // One is restored from a backup, which its old key still opens; the other one is given up.
      await records.put(damaged![0], damaged![1]);
      expect((await store.rotateKey()).problems).toEqual(problems.slice(1));
      expect((await store.rotateKey({ damaged: 'remove' })).problems).toEqual(problems.slice(1));
      expect(store.isRotating()).toBe(false);
      expect(await dataKeyIds(base)).toEqual(new Set([2]));
      const reopened = await openEncryptedStore(base, { key });
      expect(await reopened.verify()).toEqual({ entries: COUNT, problems: [] });
      expect(await reopened.get(keyOf(0))).toEqual(Uint8Array.of(0, 0));
      expect(await reopened.get(keyOf(1))).toBeUndefined();
      expect((await reopened.rotateKey()).problems).toEqual([]);
    },
  );

  it('does not make an older version that was put back the latest one', async () => {
    const base = createMemoryStore();
    const store = await filled(base, { freshness: true });
    const records = base.namespace('r');
    const [older] = await records.iterate({ limit: 1 }).nextMany(1);
    await store.put(keyOf(0), Uint8Array.of(7));
    await records.put(older![0], older![1]);
    expect((await store.rotateKey()).problems).toEqual([{ code: 'RECORD_ROLLED_BACK', key: older![0] }]);
    await expect(store.get(keyOf(0))).rejects.toMatchObject({ code: 'RECORD_ROLLED_BACK' });
  });

  it('can be repeated, and two calls at once are one rotation', async () => {
    const base = createMemoryStore();
    const store = await filled(base);
    await Promise.all([store.rotateKey(), store.rotateKey()]);
    await store.rotateKey();
    expect(await dataKeyIds(base)).toEqual(new Set([3]));
  });
});

async function filled(base: KeyValueStore, options = {}): Promise<EncryptedStore> {
  const store = await openEncryptedStore(base, { key, ...options });
  const operations = Array.from({ length: COUNT }, (_, i) => ({
    type: 'put' as const,
    key: keyOf(i),
    value: Uint8Array.of(i & 0xff, 0),
  }));
  await store.batch(operations);
  await store.namespace('below').put(keyOf(1), Uint8Array.of(1));
  return store;
}

async function checkAll(store: EncryptedStore, overwritten: number): Promise<void> {
  const report = await store.verify();
  expect(report.problems).toEqual([]);
  expect(report.entries).toBe(COUNT + 1);
  for (const i of [0, 1, 500, COUNT - 1]) {
    const expected = i < overwritten ? Uint8Array.of(9) : Uint8Array.of(i & 0xff, 0);
    expect(await store.get(keyOf(i))).toEqual(expected);
  }
  expect(await store.namespace('below').get(keyOf(1))).toEqual(Uint8Array.of(1));
}

/** The ids in front of the records, as spec/storage.md §4 has them. */
async function dataKeyIds(base: KeyValueStore): Promise<Set<number>> {
  const ids = new Set<number>();
  for await (const [, record] of base.namespace('r').iterate()) {
    ids.add(new DataView(record.buffer, record.byteOffset).getUint32(1));
  }
  return ids;
}

/** The same store, whose writes fail from the given one on, as after a crash. */
function failingAfter(
  base: KeyValueStore,
  count: number,
): { failing: KeyValueStore; hasFailed: () => boolean } {
  let left = count;
  let failed = false;
  const wrap = (store: KeyValueStore): KeyValueStore => {
    const guard = async (write: () => Promise<void>): Promise<void> => {
      if (left-- <= 0) {
        failed = true;
        throw new Error('crash');
      }
      await write();
    };
    return {
      isEncrypted: store.isEncrypted,
      get: (k, o) => store.get(k, o),
      iterate: (o) => store.iterate(o),
      put: (k, v, o) => guard(() => store.put(k, v, o)),
      delete: (k, o) => guard(() => store.delete(k, o)),
      batch: (operations, o) => guard(() => store.batch(operations, o)),
      snapshot: () => store.snapshot(),
      namespace: (name) => wrap(store.namespace(name)),
      compact: (o) => store.compact(o),
      stats: (o) => store.stats(o),
      verify: (o) => store.verify(o),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  };
  return { failing: wrap(base), hasFailed: () => failed };
}

function keyOf(i: number): Uint8Array {
  return Uint8Array.of(i >> 8, i & 0xff);
}
