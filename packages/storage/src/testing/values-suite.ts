import type { Entry } from '../key-value/key-value-store.ts';
import { assertBytes, assertEntries, assertEqual, assertRejects } from './assertions.ts';
import { bytes, entriesOf, type Test } from './suite-parts.ts';

/** Single keys and values. */
export function testValues(test: Test): void {
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

/** Who owns which memory. */
export function testOwnership(test: Test): void {
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
  test('gives each get memory of its own, of one turn and of a snapshot too', async (store) => {
    await store.put(bytes(1), bytes(2, 3));
    await using snapshot = store.snapshot();
    for (const reader of [store, snapshot]) {
      const [first, second] = await Promise.all([reader.get(bytes(1)), reader.get(bytes(1))]);
      first?.fill(9);
      assertBytes(second, bytes(2, 3), 'a get of the same turn');
      assertBytes(await reader.get(bytes(1)), bytes(2, 3), 'a later get');
    }
  });
  test('keeps batches apart that are under way together', async (store) => {
    const batches = Array.from({ length: 4 }, (_, batch) =>
      Array.from({ length: 20 }, (_, i): Entry => [bytes(batch, i), bytes(i, batch)]),
    );
    await Promise.all(
      batches.map((entries) =>
        store.batch(entries.map(([key, value]) => ({ type: 'put' as const, key, value }))),
      ),
    );
    assertEntries(await entriesOf(store), batches.flat(), 'entries');
  });
}

/** Batches are all or nothing. */
export function testBatches(test: Test): void {
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
    await store.batch([], { sync: true });
    assertEntries(await entriesOf(store), [], 'nothing');
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
