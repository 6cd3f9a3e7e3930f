import type { AeadKey } from '@nzcore/crypto';

/** The AEAD keys of one namespace by data key id. */
export type NamespaceKeys = Map<number, AeadKey>;

/** The keys of the namespaces that were used last. */
export interface NamespaceKeyCache {
  /** The same map for the same namespace, as long as it is remembered. */
  keysOf(namespaceId: Uint8Array): NamespaceKeys;
  /** Derives a key and puts it into the namespace's map. */
  importKey(namespace: { id: Uint8Array; keys: NamespaceKeys }, id: number): AeadKey;
  /** How many namespaces have keys in memory. */
  readonly size: number;
  /** Zeroes all keys. */
  dispose(): void;
}

// A key costs two HMACs to derive again; a thousand of them are some hundred kilobytes.
const MAX_NAMESPACES = 1_024;

/**
 * Whoever makes a namespace for every peer must not fill the memory with their keys: the oldest ones are zeroed. A
 * handle of such a namespace finds its map empty and has the key derived again.
 */
export function createNamespaceKeys(
  derive: (namespaceId: Uint8Array, id: number) => AeadKey,
): NamespaceKeyCache {
  const known = new Map<string, NamespaceKeys>();
  // Apart from the names: two handles of a namespace that was forgotten in between have a map each.
  const loaded = new Set<NamespaceKeys>();

  return {
    keysOf: (namespaceId) => {
      const name = String.fromCharCode(...namespaceId);
      const found = known.get(name);
      if (found !== undefined) return found;
      const keys: NamespaceKeys = new Map();
      known.set(name, keys);
      if (known.size > MAX_NAMESPACES) known.delete(known.keys().next().value!);
      return keys;
    },
    importKey: ({ id: namespaceId, keys }, id) => {
      const key = derive(namespaceId, id);
      keys.set(id, key);
      loaded.add(keys);
      if (loaded.size > MAX_NAMESPACES) forget(loaded, loaded.values().next().value!);
      return key;
    },
    get size() {
      return loaded.size;
    },
    dispose: () => {
      for (const keys of [...loaded]) forget(loaded, keys);
      known.clear();
    },
  };
}

function forget(loaded: Set<NamespaceKeys>, keys: NamespaceKeys): void {
  for (const key of keys.values()) key.dispose();
  keys.clear();
  loaded.delete(keys);
}
