import type { AddressBookStore } from '../src/address/address-book.ts';

/** The least that a key-value store can be. */
export function createMapStore(): AddressBookStore {
  const entries = new Map<string, Uint8Array>();
  const text = (key: Uint8Array): string => new TextDecoder().decode(key);
  return {
    put: async (key, value) => entries.set(text(key), value.slice()),
    delete: async (key) => entries.delete(text(key)),
    iterate: async function* ({ prefix = new Uint8Array() } = {}) {
      for (const [key, value] of entries) {
        if (key.startsWith(text(prefix))) yield [new TextEncoder().encode(key), value] as const;
      }
    },
  };
}
