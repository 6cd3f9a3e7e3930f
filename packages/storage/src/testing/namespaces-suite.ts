import type { Entry } from '../key-value/key-value-store.ts';
import { assertBytes, assertCode, assertEntries, assertEqual, assertRejects } from './assertions.ts';
import { bytes, entriesOf, fill, type Test } from './suite-parts.ts';

/** Stores inside of the store. */
export function testNamespaces(test: Test): void {
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

/** What is refused. */
export function testArguments(test: Test): void {
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

/** Operations that are given up. */
export function testSignals(test: Test): void {
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

/** Counting, verifying, compacting. */
export function testMaintenance(test: Test): void {
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
