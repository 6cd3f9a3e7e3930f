import { StorageError } from '../errors.ts';
import type {
  BatchOperation,
  EntryIterator,
  IterateOptions,
  KeyValueStore,
  OperationOptions,
  Snapshot,
  StoreStats,
  VerifyReport,
  WriteOptions,
} from './key-value-store.ts';

/** How much a store may hold, namespaces included. */
export interface QuotaOptions extends OperationOptions {
  /** Of keys and values together. @defaultValue no limit */
  readonly maxBytes?: number | undefined;
  /** @defaultValue no limit */
  readonly maxEntries?: number | undefined;
}

interface Usage {
  bytes: number;
  entries: number;
}

/** What all handles of one store with a quota share. */
interface Account {
  readonly limits: Usage;
  readonly used: Usage;
  last: Promise<unknown>;
}

/**
 * A store that refuses to grow beyond a quota with `QUOTA_EXCEEDED`; what was there stays and may be deleted or made smaller.
 * Each write reads what it replaces, one write after the other. All writes must go through this store.
 */
export async function openQuotaStore(store: KeyValueStore, options: QuotaOptions): Promise<KeyValueStore> {
  const { maxBytes = Number.MAX_SAFE_INTEGER, maxEntries = Number.MAX_SAFE_INTEGER, signal } = options;
  for (const [name, value] of Object.entries({ maxBytes, maxEntries })) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new RangeError(`${name} must be a non-negative integer`);
  }
  const { entries, keyBytes, valueBytes } = await store.stats({ signal });
  const used = { bytes: keyBytes + valueBytes, entries };
  const account = { limits: { bytes: maxBytes, entries: maxEntries }, used, last: Promise.resolve() };
  return new QuotaStore(store, account);
}

class QuotaStore implements KeyValueStore {
  readonly #store: KeyValueStore;
  readonly #account: Account;

  constructor(store: KeyValueStore, account: Account) {
    this.#store = store;
    this.#account = account;
  }

  get isEncrypted(): boolean {
    return this.#store.isEncrypted;
  }

  get(key: Uint8Array, options?: OperationOptions): Promise<Uint8Array | undefined> {
    return this.#store.get(key, options);
  }

  iterate(options?: IterateOptions): EntryIterator {
    return this.#store.iterate(options);
  }

  put(key: Uint8Array, value: Uint8Array, options?: WriteOptions): Promise<void> {
    return this.#write([{ type: 'put', key, value }], () => this.#store.put(key, value, options));
  }

  delete(key: Uint8Array, options?: WriteOptions): Promise<void> {
    return this.#write([{ type: 'delete', key }], () => this.#store.delete(key, options));
  }

  batch(operations: readonly BatchOperation[], options?: WriteOptions): Promise<void> {
    return this.#write(operations, () => this.#store.batch(operations, options));
  }

  snapshot(): Snapshot {
    return this.#store.snapshot();
  }

  namespace(name: string): KeyValueStore {
    return new QuotaStore(this.#store.namespace(name), this.#account);
  }

  compact(options?: OperationOptions): Promise<void> {
    return this.#store.compact(options);
  }

  stats(options?: OperationOptions): Promise<StoreStats> {
    return this.#store.stats(options);
  }

  verify(options?: OperationOptions): Promise<VerifyReport> {
    return this.#store.verify(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#account.last;
    await this.#store[Symbol.asyncDispose]();
  }

  #write(operations: readonly BatchOperation[], write: () => Promise<void>): Promise<void> {
    const account = this.#account;
    const result = account.last.then(async () => {
      const growth = isWellFormed(operations) ? await this.#growth(operations) : { bytes: 0, entries: 0 };
      for (const measure of ['bytes', 'entries'] as const) {
        const after = account.used[measure] + growth[measure];
        if (growth[measure] > 0 && after > account.limits[measure]) {
          throw new StorageError(
            'QUOTA_EXCEEDED',
            `the store may hold ${account.limits[measure]} ${measure}`,
          );
        }
      }
      await write();
      account.used.bytes += growth.bytes;
      account.used.entries += growth.entries;
    });
    account.last = result.catch(() => {});
    return result;
  }

  /** By how much the operations change what is used; several of one key count in their order. */
  async #growth(operations: readonly BatchOperation[]): Promise<Usage> {
    const sizes = new Map<string, number | undefined>();
    const growth = { bytes: 0, entries: 0 };
    for (const operation of operations) {
      const { key, namespace = [] } = operation;
      const name = JSON.stringify([namespace, [...key]]);
      if (!sizes.has(name)) {
        const place = namespace.reduce((store, part) => store.namespace(part), this.#store);
        sizes.set(name, (await place.get(key))?.length);
      }
      const old = sizes.get(name);
      const size = operation.type === 'put' ? operation.value.length : undefined;
      growth.bytes += sizeWithKey(key, size) - sizeWithKey(key, old);
      growth.entries += (size === undefined ? 0 : 1) - (old === undefined ? 0 : 1);
      sizes.set(name, size);
    }
    return growth;
  }
}

/** What is not is refused by the store below, with its own words. */
function isWellFormed(operations: readonly BatchOperation[]): boolean {
  if (!Array.isArray(operations)) return false;
  return operations.every(
    (operation: BatchOperation) =>
      operation.key instanceof Uint8Array &&
      (operation.type === 'delete' || (operation.type === 'put' && operation.value instanceof Uint8Array)),
  );
}

function sizeWithKey(key: Uint8Array, size: number | undefined): number {
  return size === undefined ? 0 : key.length + size;
}
