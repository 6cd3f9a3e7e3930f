import { assertBytes, assertCode, assertEqual } from './assertions.ts';
import type { KeyValueStoreSuite } from './key-value-store-suite.ts';
import { bytes, fill, keysOf } from './suite-parts.ts';

/** The end of a store. */
export function testClosing(test: KeyValueStoreSuite['test'], open: KeyValueStoreSuite['open']): void {
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

/** A store that lasts. */
export function testReopening(
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
