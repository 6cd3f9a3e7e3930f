import { compareBytes } from '../bytes.ts';
import type { Entry, IterateOptions, KeyValueStore, Reader } from '../key-value/key-value-store.ts';
import {
  assertBytes,
  assertCode,
  assertEntries,
  assertEqual,
  assertKeys,
  assertRejects,
} from './assertions.ts';

/** What the suite needs to know of the store that it tests. */
export interface KeyValueStoreSuite {
  /** How a test is declared: vitest's `it`, or a function that collects. */
  readonly test: (claim: string, run: () => Promise<void>) => void;
  /** Opens an empty store, with its default limits; the suite disposes it. */
  readonly open: () => Promise<KeyValueStore>;
  /** For a store that lasts: closes this one and opens it again. */
  readonly reopen?: ((store: KeyValueStore) => Promise<KeyValueStore>) | undefined;
}

type Test = (claim: string, run: (store: KeyValueStore) => Promise<void>) => void;

/** What every implementation of {@link KeyValueStore} must do, as tests. */
export function runKeyValueStoreSuite({ test, open, reopen }: KeyValueStoreSuite): void {
  const withStore: Test = (claim, run) => {
    test(claim, async () => {
      await using store = await open();
      await run(store);
    });
  };
  testValues(withStore);
  testOwnership(withStore);
  testBatches(withStore);
  testIteration(withStore);
  testRanges(withStore);
  testSnapshots(withStore);
  testNamespaces(withStore);
  testArguments(withStore);
  testSignals(withStore);
  testMaintenance(withStore);
  testClosing(test, open);
  if (reopen !== undefined) testReopening(test, open, reopen);
}

function testValues(test: Test): void {
  test('gives back what was put, and undefined for what was not', async (store) => {
    await store.put(bytes(1, 2), bytes(3));
    assertBytes(await store.get(bytes(1, 2)), bytes(3), 'get');
    assertBytes(await store.get(bytes(1)), undefined, 'get of a prefix');
    assertBytes(await store.get(bytes(1, 2, 0)), undefined, 'get of a longer key');
  });
  test('keeps empty keys, empty values and every byte', async (store) => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    await store.put(bytes(), all);
    await store.put(all, bytes());
    assertBytes(await store.get(bytes()), all, 'the empty key');
    assertBytes(await store.get(all), bytes(), 'the empty value');
  });
  test('keeps a value of a megabyte', async (store) => {
    const large = Uint8Array.from({ length: 1_048_576 }, (_, i) => (i * 31) & 0xff);
    await store.put(bytes(1), large);
    assertBytes(await store.get(bytes(1)), large, 'get');
  });
  test('replaces a value and deletes it, with and without sync', async (store) => {
    for (const sync of [false, true]) {
      await store.put(bytes(1), bytes(1), { sync });
      await store.put(bytes(1), bytes(2), { sync });
      assertBytes(await store.get(bytes(1)), bytes(2), 'replaced');
      await store.delete(bytes(1), { sync });
      await store.delete(bytes(1), { sync });
      assertBytes(await store.get(bytes(1)), undefined, 'deleted');
    }
  });
  test('applies writes of one key in the order of their calls', async (store) => {
    await Promise.all(Array.from({ length: 50 }, (_, i) => store.put(bytes(7), bytes(i))));
    assertBytes(await store.get(bytes(7)), bytes(49), 'the last call');
  });
}

function testOwnership(test: Test): void {
  test('keeps nothing of the memory that it was given', async (store) => {
    const key = bytes(1, 2);
    const value = bytes(3, 4);
    await store.put(key, value);
    key.fill(9);
    value.fill(9);
    assertBytes(await store.get(bytes(1, 2)), bytes(3, 4), 'get');
  });
  test('gives memory that belongs to the caller', async (store) => {
    await store.put(bytes(1), bytes(2));
    (await store.get(bytes(1)))?.fill(9);
    for (const [key, value] of await entriesOf(store)) {
      key.fill(9);
      value.fill(9);
    }
    const entries = await entriesOf(store);
    assertEntries(entries, [[bytes(1), bytes(2)]], 'entries');
    assertEqual(Object.getPrototypeOf(entries[0]?.[1]), Uint8Array.prototype, 'a plain Uint8Array');
    assertEqual(Object.getPrototypeOf(await store.get(bytes(1))), Uint8Array.prototype, 'a plain Uint8Array');
  });
}

function testBatches(test: Test): void {
  test('applies a batch in its order, over several namespaces', async (store) => {
    await store.put(bytes(5), bytes(5));
    await store.batch([
      { type: 'put', key: bytes(1), value: bytes(1) },
      { type: 'put', key: bytes(1), value: bytes(2) },
      { type: 'put', key: bytes(2), value: bytes(2) },
      { type: 'delete', key: bytes(2) },
      { type: 'delete', key: bytes(5) },
      { type: 'put', key: bytes(1), value: bytes(3), namespace: ['a'] },
      { type: 'put', key: bytes(1), value: bytes(4), namespace: ['a', 'b'] },
    ]);
    assertEntries(await entriesOf(store), [[bytes(1), bytes(2)]], 'here');
    const below = store.namespace('a');
    assertEntries(await entriesOf(below), [[bytes(1), bytes(3)]], 'in a');
    assertEntries(await entriesOf(below.namespace('b')), [[bytes(1), bytes(4)]], 'in a/b');
  });
  test('applies nothing of a batch with a bad operation', async (store) => {
    const bad = { type: 'put', key: bytes(2), value: 'text' } as unknown as {
      type: 'delete';
      key: Uint8Array;
    };
    const batch = store.batch([{ type: 'put', key: bytes(1), value: bytes(1) }, bad]);
    await assertRejects(batch, TypeError, 'a value that is no bytes');
    assertEntries(await entriesOf(store), [], 'entries');
  });
  test('takes an empty batch and a large one', async (store) => {
    await store.batch([]);
    const count = 5_000;
    const entries = Array.from(
      { length: count },
      (_, i): Entry => [bytes(i >> 8, i & 0xff), bytes(i & 0xff)],
    );
    await store.batch(
      entries.map(([key, value]) => ({ type: 'put', key, value })),
      { sync: true },
    );
    assertEntries(await entriesOf(store), entries, 'entries');
  });
}

function testIteration(test: Test): void {
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

function testRanges(test: Test): void {
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

function testSnapshots(test: Test): void {
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

function testNamespaces(test: Test): void {
  test('namespaces do not see each other, whatever their names', async (store) => {
    const names = ['a', 'aa', 'b', '\u0001', '\u0000', 'a/b', 'ä', '0'.repeat(64)];
    const stores = [
      store,
      ...names.map((name) => store.namespace(name)),
      store.namespace('a').namespace('a'),
    ];
    for (const [i, each] of stores.entries()) {
      await each.put(bytes(97), bytes(i));
      await each.put(bytes(1, 97, 0), bytes(i));
      await each.put(bytes(), bytes(i));
    }
    for (const [i, each] of stores.entries()) {
      const expected: Entry[] = [bytes(), bytes(1, 97, 0), bytes(97)].map((key) => [key, bytes(i)]);
      assertEntries(await entriesOf(each), expected, `namespace ${i}`);
      assertBytes(await each.get(bytes(97)), bytes(i), `namespace ${i}`);
    }
    await stores[1]!.delete(bytes(97));
    assertBytes(await store.get(bytes(97)), bytes(0), 'its parent');
    assertBytes(await stores[2]!.get(bytes(97)), bytes(2), 'its neighbour');
  });
  test('the same name is the same namespace, and disposing a handle leaves the store open', async (store) => {
    const handle = store.namespace('n');
    await handle.put(bytes(1), bytes(2));
    await handle[Symbol.asyncDispose]();
    await assertCode(handle.get(bytes(1)), 'STORE_CLOSED', 'the disposed handle');
    assertBytes(await store.namespace('n').get(bytes(1)), bytes(2), 'another handle');
  });
  test('refuses names that are none', async (store) => {
    for (const name of ['', 'x'.repeat(65), '\ud800']) {
      const attempt = (async () => store.namespace(name))();
      await assertRejects(
        attempt,
        name === '\ud800' ? TypeError : RangeError,
        JSON.stringify(name.slice(0, 9)),
      );
    }
    await assertRejects((async () => store.namespace(5 as unknown as string))(), TypeError, 'a number');
  });
}

function testArguments(test: Test): void {
  test('refuses what is no bytes, and a limit that is none', async (store) => {
    const text = 'key' as unknown as Uint8Array;
    await assertRejects(store.get(text), TypeError, 'get');
    await assertRejects(store.put(text, bytes()), TypeError, 'put, key');
    await assertRejects(store.put(bytes(1), text), TypeError, 'put, value');
    await assertRejects(store.delete(text), TypeError, 'delete');
    await assertRejects((async () => store.iterate({ gt: text }))(), TypeError, 'a bound');
    await assertRejects((async () => store.iterate({ limit: -1 }))(), RangeError, 'a negative limit');
    await assertRejects((async () => store.iterate({ limit: 0.5 }))(), RangeError, 'a broken limit');
    await assertRejects(store.iterate().nextMany(0), RangeError, 'a page of nothing');
  });
  test('refuses keys and values over the limits with their own codes', async (store) => {
    await assertCode(store.put(new Uint8Array(5_000), bytes()), 'KEY_TOO_LARGE', 'a key of 5,000 bytes');
    const value = new Uint8Array(16 * 1_024 * 1_024 + 1);
    await assertCode(store.put(bytes(1), value), 'VALUE_TOO_LARGE', 'a value over 16 MiB');
    const operations = new Array(100_001).fill({ type: 'delete', key: bytes(1) });
    await assertCode(store.batch(operations), 'BATCH_TOO_LARGE', 'a batch of 100,001');
  });
}

function testSignals(test: Test): void {
  test('rejects with the reason of a signal', async (store) => {
    const reason = new RangeError('enough');
    const signal = AbortSignal.abort(reason);
    await assertRejects(store.get(bytes(1), { signal }), RangeError, 'get');
    await assertRejects(store.put(bytes(1), bytes(1), { signal }), RangeError, 'put');
    await assertRejects(store.delete(bytes(1), { signal }), RangeError, 'delete');
    await assertRejects(store.batch([], { signal }), RangeError, 'batch');
    await assertRejects(store.stats({ signal }), RangeError, 'stats');
    await assertRejects(store.verify({ signal }), RangeError, 'verify');
    await assertRejects(store.compact({ signal }), RangeError, 'compact');
    await assertRejects(store.iterate({ signal }).next(), RangeError, 'iterate');
    assertEntries(await entriesOf(store), [], 'nothing was written');
  });
  test('an iteration ends when its signal fires', async (store) => {
    await fill(store, 200);
    const controller = new AbortController();
    const iterator = store.iterate({ signal: controller.signal });
    await iterator.nextMany(10);
    controller.abort(new RangeError('enough'));
    await assertRejects(iterator.nextMany(10), RangeError, 'the next page');
  });
}

function testMaintenance(test: Test): void {
  test('counts, verifies and compacts', async (store) => {
    await store.put(bytes(1, 2), bytes(3, 4, 5));
    await store.namespace('a').put(bytes(1), bytes(2));
    await store.namespace('b').put(bytes(1), bytes(2));
    const all = await store.stats();
    assertEqual(`${all.entries} ${all.keyBytes} ${all.valueBytes}`, '3 4 5', 'all');
    const below = await store.namespace('a').stats();
    assertEqual(`${below.entries} ${below.keyBytes} ${below.valueBytes}`, '1 1 1', 'in a');
    await store.compact();
    const report = await store.verify();
    assertEqual(`${report.entries} ${report.problems.length}`, '3 0', 'verify');
    assertBytes(await store.get(bytes(1, 2)), bytes(3, 4, 5), 'after compact');
  });
}

function testClosing(test: KeyValueStoreSuite['test'], open: KeyValueStoreSuite['open']): void {
  test('closes once, and refuses everything afterwards', async () => {
    const store = await open();
    const below = store.namespace('a');
    await fill(store, 50);
    const snapshot = store.snapshot();
    const iterator = store.iterate();
    await iterator.nextMany(2);
    const writing = store.put(bytes(1), bytes(1));
    await Promise.all([store[Symbol.asyncDispose](), store[Symbol.asyncDispose]()]);
    await writing;
    await store[Symbol.asyncDispose]();
    await assertCode(store.get(bytes(1)), 'STORE_CLOSED', 'get');
    await assertCode(store.put(bytes(1), bytes(1)), 'STORE_CLOSED', 'put');
    await assertCode(store.delete(bytes(1)), 'STORE_CLOSED', 'delete');
    await assertCode(store.batch([]), 'STORE_CLOSED', 'batch');
    await assertCode(store.stats(), 'STORE_CLOSED', 'stats');
    await assertCode(below.get(bytes(1)), 'STORE_CLOSED', 'a namespace');
    await assertCode(snapshot.get(bytes(1)), 'STORE_CLOSED', 'a snapshot');
    await assertCode(iterator.nextMany(2), 'STORE_CLOSED', 'an iteration');
    await assertCode((async () => store.snapshot())(), 'STORE_CLOSED', 'snapshot');
    await assertCode((async () => store.iterate())(), 'STORE_CLOSED', 'iterate');
    await snapshot[Symbol.asyncDispose]();
  });
}

function testReopening(
  test: KeyValueStoreSuite['test'],
  open: KeyValueStoreSuite['open'],
  reopen: NonNullable<KeyValueStoreSuite['reopen']>,
): void {
  test('keeps everything over a reopening', async () => {
    const first = await open();
    await fill(first, 100);
    await first.namespace('a').put(bytes(1), bytes(2), { sync: true });
    await first.delete(bytes(7));
    await using second = await reopen(first);
    assertEqual((await keysOf(second)).length, 99, 'entries');
    assertBytes(await second.get(bytes(99)), bytes(99), 'a value');
    assertBytes(await second.namespace('a').get(bytes(1)), bytes(2), 'in a namespace');
  });
}

async function fill(store: KeyValueStore, count: number): Promise<void> {
  await store.batch(
    Array.from({ length: count }, (_, i) => ({ type: 'put', key: bytes(i), value: bytes(i) })),
  );
}

async function entriesOf(reader: Reader, options?: IterateOptions): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of reader.iterate(options)) entries.push(entry);
  return entries;
}

async function keysOf(reader: Reader, options?: IterateOptions): Promise<Uint8Array[]> {
  return (await entriesOf(reader, options)).map(([key]) => key);
}

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}
