import { describe, expect, it } from 'vitest';
import { createNamespaceKeys } from '../src/encrypted/namespace-keys.ts';
import { openEncryptedStore } from '../src/index.ts';
import { createMemoryStore } from '../src/memory.ts';

const key = new Uint8Array(32).fill(7);

describe('the keys of namespaces', () => {
  it('are kept of the last ones only, and zeroed', () => {
    let live = 0;
    const cache = createNamespaceKeys(() => {
      live++;
      return { dispose: () => live-- } as never;
    });
    const handles = Array.from({ length: 5_000 }, (_, i) => {
      const id = Uint8Array.of(i >> 8, i);
      return { id, keys: cache.keysOf(id) };
    });
    for (const handle of handles) cache.importKey(handle, 1);
    expect(live).toBe(1_024);
    expect(cache.size).toBe(1_024);
    expect(handles[0]!.keys.size).toBe(0);
    expect(handles.at(-1)!.keys.size).toBe(1);
    // A handle that outlived its keys gets them again, and another one of that namespace has its own.
    cache.importKey(handles[0]!, 1);
    cache.importKey({ id: handles[0]!.id, keys: cache.keysOf(handles[0]!.id) }, 1);
    cache.dispose();
    expect(live).toBe(0);
    expect(cache.size).toBe(0);
  });

  it('come back when a namespace is used again after thousands of others', async () => {
    await using store = await openEncryptedStore(createMemoryStore(), { key });
    const first = store.namespace('first');
    await first.put(key, Uint8Array.of(1));
    for (let i = 0; i < 3_000; i++) await store.namespace(`peer ${i}`).put(key, Uint8Array.of(i));
    expect(await first.get(key)).toEqual(Uint8Array.of(1));
    await first.put(key, Uint8Array.of(2));
    expect(await store.namespace('first').get(key)).toEqual(Uint8Array.of(2));
    expect(await store.namespace('peer 5').get(key)).toEqual(Uint8Array.of(5));
    expect(await store.verify()).toEqual({ entries: 3_001, problems: [] });
  });
});
