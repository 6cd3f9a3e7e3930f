import { compareBytes } from '../bytes.ts';
import type { Entry, IterateOptions, KeyValueStore } from '../key-value/key-value-store.ts';
import { assertBytes, assertCode, assertEqual, assertKeys } from './assertions.ts';
import { bytes, fill, keysOf, type Test } from './suite-parts.ts';

/** Ordered walks. */
export function testIteration(test: Test): void {
  test('iterates in bytewise order, both ways', async (store) => {
    const keys = [
      bytes(),
      bytes(0),
      bytes(0, 0),
      bytes(0, 255),
      bytes(1),
      bytes(127),
      bytes(128),
      bytes(255),
      bytes(255, 255),
    ];
    for (const key of keys.toReversed()) await store.put(key, key);
    assertKeys(await keysOf(store), keys, 'forwards');
    assertKeys(await keysOf(store, { reverse: true }), keys.toReversed(), 'backwards');
  });
  test('sees the store as it was when the iteration began', async (store) => {
    await fill(store, 40);
    const iterator = store.iterate();
    const first = await iterator.next();
    await store.put(bytes(39), bytes(0));
    await store.delete(bytes(38));
    await store.put(bytes(200), bytes(200));
    const rest: Entry[] = [];
    for await (const entry of iterator) rest.push(entry);
    assertBytes(first.value?.[0], bytes(0), 'the first');
    assertEqual(rest.length, 39, 'all others');
    assertBytes(rest.at(-1)?.[1], bytes(39), 'the old value');
  });
  test('gives entries by pages and one by one, and calls that overlap', async (store) => {
    await fill(store, 100);
    await using iterator = store.iterate();
    const [one, two] = await Promise.all([iterator.next(), iterator.next()]);
    assertBytes(one.value?.[0], bytes(0), 'the first');
    assertBytes(two.value?.[0], bytes(1), 'the second');
    const seen: Entry[] = [];
    for (let page = await iterator.nextMany(30); page.length > 0; page = await iterator.nextMany(30)) {
      assertEqual(page.length <= 30, true, 'the size of a page');
      seen.push(...page);
    }
    assertEqual(seen.length, 98, 'all others');
    assertEqual((await iterator.next()).done, true, 'the end stays');
  });
  test('can be left at any time', async (store) => {
    await fill(store, 100);
    for await (const [key] of store.iterate()) if (key[0] === 3) break;
    const iterator = store.iterate();
    await iterator.next();
    await iterator.return();
    await iterator.return();
    assertEqual((await iterator.next()).done, true, 'after return');
  });
}

/** Prefixes, bounds and limits. */
export function testRanges(test: Test): void {
  test('keeps to prefix, bounds and limit, in any combination', async (store) => {
    const keys: Uint8Array[] = [bytes()];
    for (const a of [0, 1, 254, 255])
      for (const b of [[], [0], [128], [255], [255, 0]]) keys.push(bytes(a, ...b));
    for (const key of keys) await store.put(key, key);
    const bounds = [
      undefined,
      bytes(),
      bytes(1),
      bytes(1, 0),
      bytes(254, 128),
      bytes(255),
      bytes(255, 255),
      bytes(2),
    ];
    for (const prefix of [undefined, bytes(1), bytes(255), bytes(255, 255)]) {
      for (const low of bounds) for (const high of bounds) await assertRange(store, keys, prefix, low, high);
    }
  });
}

async function assertRange(
  store: KeyValueStore,
  keys: readonly Uint8Array[],
  prefix: Uint8Array | undefined,
  low: Uint8Array | undefined,
  high: Uint8Array | undefined,
): Promise<void> {
  const isOpen = ((low?.length ?? 0) + (high?.length ?? 0)) % 2 === 1;
  const range: IterateOptions = isOpen ? { prefix, gt: low, lt: high } : { prefix, gte: low, lte: high };
  const expected = keys
    .filter((key) => prefix?.every((byte, i) => key[i] === byte) ?? true)
    .filter((key) => low === undefined || compareBytes(key, low) >= (isOpen ? 1 : 0))
    .filter((key) => high === undefined || compareBytes(key, high) <= (isOpen ? -1 : 0))
    .toSorted(compareBytes);
  assertKeys(await keysOf(store, range), expected, 'a range');
  const limited = await keysOf(store, { ...range, reverse: true, limit: 3 });
  assertKeys(limited, expected.toReversed().slice(0, 3), 'backwards with a limit');
}

/** Moments that stay. */
export function testSnapshots(test: Test): void {
  test('a snapshot keeps its moment, in every namespace', async (store) => {
    const below = store.namespace('below');
    await fill(store, 10);
    await below.put(bytes(1), bytes(1));
    await using snapshot = store.snapshot();
    await store.put(bytes(1), bytes(99));
    await store.put(bytes(50), bytes(99));
    await store.batch([{ type: 'delete', key: bytes(2) }]);
    await below.delete(bytes(1));
    assertBytes(await snapshot.get(bytes(1)), bytes(1), 'the old value');
    assertBytes(await snapshot.get(bytes(2)), bytes(2), 'the deleted one');
    assertBytes(await snapshot.get(bytes(50)), undefined, 'the new one');
    assertKeys(
      await keysOf(snapshot),
      Array.from({ length: 10 }, (_, i) => bytes(i)),
      'all of it',
    );
    assertKeys(
      await keysOf(snapshot, { gt: bytes(0), reverse: true, limit: 2 }),
      [bytes(9), bytes(8)],
      'a range',
    );
    assertBytes(await snapshot.namespace('below').get(bytes(1)), bytes(1), 'below');
    assertBytes(await store.get(bytes(1)), bytes(99), 'the living store');
    assertBytes(await below.get(bytes(1)), undefined, 'the living namespace');
  });
  test('two snapshots differ, and one that is disposed reads no more', async (store) => {
    const first = store.snapshot();
    await store.put(bytes(1), bytes(1));
    await using second = store.snapshot();
    await store.put(bytes(1), bytes(2));
    assertBytes(await first.get(bytes(1)), undefined, 'the first');
    assertBytes(await second.get(bytes(1)), bytes(1), 'the second');
    const below = first.namespace('below');
    await first[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
    await assertCode(first.get(bytes(1)), 'STORE_CLOSED', 'a disposed snapshot');
    await assertCode(below.get(bytes(1)), 'STORE_CLOSED', 'its namespace');
    assertBytes(await second.get(bytes(1)), bytes(1), 'the other one');
  });
}
