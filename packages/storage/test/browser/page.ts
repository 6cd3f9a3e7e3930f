import { openBrowserStore } from '../../src/browser.ts';
import { openEncryptedStore } from '../../src/index.ts';
import { runKeyValueStoreSuite } from '../../src/testing.ts';

// Runs in the browser: the suite over IndexedDB, plain and encrypted. The results are the page's `results`.

type Test = { claim: string; run: () => Promise<void> };
type Result = { claim: string; error?: string };

const key = new Uint8Array(32).fill(7);
const tests: Test[] = [];
let count = 0;
let name = '';

const declare = (prefix: string) => (claim: string, run: () => Promise<void>) => {
  tests.push({ claim: `${prefix}: ${claim}`, run });
};

runKeyValueStoreSuite({
  test: declare('IndexedDB'),
  open: () => {
    name = `plain-${count++}`;
    return openBrowserStore(name);
  },
  reopen: async (store) => {
    await store[Symbol.asyncDispose]();
    return openBrowserStore(name);
  },
});

for (const [prefix, options] of [
  ['encrypted', {}],
  ['encrypted, blinded and fresh', { blindKeys: true, freshness: true }],
] as const) {
  runKeyValueStoreSuite({
    test: declare(prefix),
    open: async () => {
      name = `encrypted-${count++}`;
      return openEncryptedStore(await openBrowserStore(name), { key, ...options });
    },
    reopen: async (store) => {
      await store[Symbol.asyncDispose]();
      return openEncryptedStore(await openBrowserStore(name), { key });
    },
  });
}

declare('IndexedDB')(
  'a second opening is refused with STORE_LOCKED until the first one is closed',
  async () => {
    const first = await openBrowserStore('locked');
    const code = await openBrowserStore('locked').then(
      () => 'opened',
      (error: { code: string }) => error.code,
    );
    if (code !== 'STORE_LOCKED') throw new Error(`expected STORE_LOCKED, got ${code}`);
    await first[Symbol.asyncDispose]();
    await (await openBrowserStore('locked'))[Symbol.asyncDispose]();
  },
);

declare('IndexedDB')('stores a view without the memory around it', async () => {
  await using store = await openBrowserStore('view');
  const memory = new Uint8Array(1_000_000);
  await store.put(Uint8Array.of(1), memory.subarray(5, 10));
  const value = await store.get(Uint8Array.of(1));
  if (value?.length !== 5 || value.buffer.byteLength > 100)
    throw new Error('the memory around it was stored');
});

async function runAll(): Promise<Result[]> {
  const results: Result[] = [];
  for (const { claim, run } of tests) {
    try {
      await run();
      results.push({ claim });
    } catch (error) {
      results.push({ claim, error: String(error) });
    }
  }
  return results;
}

(globalThis as { results?: Promise<Result[]> }).results = runAll();
