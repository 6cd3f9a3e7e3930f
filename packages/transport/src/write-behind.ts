/** The part of a key-value store that an address book and bans need; `KeyValueStore` of `@nzcore/storage` has it. */
export interface AddressBookStore {
  put(key: Uint8Array, value: Uint8Array): Promise<unknown>;
  delete(key: Uint8Array): Promise<unknown>;
  iterate(options?: { readonly prefix?: Uint8Array }): AsyncIterable<readonly [Uint8Array, Uint8Array]>;
}

export interface WriteBehindOptions {
  readonly store: AddressBookStore | undefined;
  /** In front of every key. */
  readonly prefix: string;
  /** What is stored of an entry; undefined deletes it. */
  readonly encode: (name: string) => Uint8Array | undefined;
  /** The store failed; what is in memory goes on being used. */
  readonly onError: (error: unknown) => void;
}

/** Entries that live in memory and are stored behind: one write at a time, and always the newest state of an entry. */
export class WriteBehind {
  readonly #options: WriteBehindOptions;
  readonly #dirty = new Set<string>();
  #writing: Promise<void> | undefined;

  constructor(options: WriteBehindOptions) {
    this.#options = options;
  }

  /** Everything that is stored, by name. @throws what the store throws */
  async *load(): AsyncGenerator<readonly [name: string, value: Uint8Array], void, undefined> {
    const { store, prefix } = this.#options;
    if (!store) return;
    const start = new TextEncoder().encode(prefix);
    for await (const [key, value] of store.iterate({ prefix: start })) {
      yield [new TextDecoder().decode(key.subarray(start.length)), value];
    }
  }

  /** The entry has changed. */
  touch(name: string): void {
    const { store } = this.#options;
    if (!store) return;
    this.#dirty.add(name);
    this.#writing ??= this.#write(store);
  }

  /** Resolves when everything is in the store. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #write(store: AddressBookStore): Promise<void> {
    await Promise.resolve();
    const { prefix, encode, onError } = this.#options;
    for (const name of this.#dirty) {
      this.#dirty.delete(name);
      const key = new TextEncoder().encode(prefix + name);
      const value = encode(name);
      try {
        if (value) await store.put(key, value);
        else await store.delete(key);
      } catch (error) {
        onError(error);
      }
    }
    // In the same step as the last look: what is touched from now on begins a write of its own.
    this.#writing = undefined;
  }
}
