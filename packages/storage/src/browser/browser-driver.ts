import { StorageError, type StorageErrorCode } from '../errors.ts';
import type { Driver, DriverIterator, DriverOperation, DriverView } from '../key-value/driver.ts';
import type { Entry } from '../key-value/key-value-store.ts';
import { createOverlay, type Overlay } from '../key-value/overlay.ts';
import type { PhysicalRange } from '../key-value/range.ts';
import { createWriteQueue, kept } from '../key-value/write-queue.ts';

/** What of browser-level is used here. */
export interface BrowserDatabase {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  getMany(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  iterator(range: { gte: Uint8Array; lt?: Uint8Array; reverse: boolean }): {
    nextv(size: number): Promise<Entry[]>;
    close(): Promise<void>;
  };
}

/** What of IndexedDB is used here. */
export interface IndexedDatabase {
  transaction(
    stores: string[],
    mode: 'readwrite',
    options: { durability: 'strict' | 'relaxed' },
  ): {
    readonly error: Error | null;
    oncomplete: (() => void) | null;
    onabort: (() => void) | null;
    objectStore(name: string): {
      put(value: Uint8Array, key: Uint8Array): unknown;
      delete(key: Uint8Array): unknown;
    };
  };
}

/** What the driver needs besides the database. */
export interface BrowserDriverOptions {
  readonly database: IndexedDatabase;
  readonly storeName: string;
  readonly close: () => Promise<void>;
}

/** The driver for IndexedDB, which has no snapshots: what a write replaces is kept for those who still look at it. */
export function createBrowserDriver(level: BrowserDatabase, options: BrowserDriverOptions): Driver {
  const overlays = new Set<Overlay>();

  const queue = createWriteQueue(async (given, sync) => {
    const operations = kept(given);
    if (overlays.size > 0) {
      const keys = operations.map(({ key }) => key);
      const values = await guarded(level.getMany(keys));
      for (const overlay of overlays) overlay.keep(keys, values);
    }
    await guarded(write(options, operations, sync));
  });

  const snapshot = (): DriverView => {
    const overlay = createOverlay();
    overlays.add(overlay);
    // The write under way may have looked for overlays already, so that it belongs to the snapshot.
    const settled = queue.current();
    return {
      get: async (key) => {
        await settled;
        const value = await guarded(level.get(key));
        return overlay.valueOf(key, value);
      },
      iterate: (range) => iterate(level, overlay, range, settled),
      close: () => {
        overlays.delete(overlay);
      },
    };
  };

  return {
    get: (key) => guarded(level.get(key)),
    iterate: (range) => {
      const view = snapshot();
      const iterator = view.iterate(range);
      return {
        nextMany: (size, skip) => iterator.nextMany(size, skip),
        close: async () => {
          await iterator.close();
          await view.close();
        },
      };
    },
    write: queue.write,
    snapshot,
    compact: async () => {},
    storedBytes: async () => undefined,
    close: async () => {
      await queue.drained();
      await options.close();
    },
  };
}

function write(
  { database, storeName }: BrowserDriverOptions,
  operations: readonly DriverOperation[],
  sync: boolean,
): Promise<void> {
  if (operations.length === 0 && !sync) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const durability = sync ? 'strict' : 'relaxed';
    const transaction = database.transaction([storeName], 'readwrite', { durability });
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'));
    const store = transaction.objectStore(storeName);
    // A transaction without a request may end without touching the disk; no store has the empty key.
    if (operations.length === 0) store.delete(new Uint8Array(0));
    for (const operation of operations) {
      if (operation.type === 'del') store.delete(exact(operation.key));
      else store.put(exact(operation.value), exact(operation.key));
    }
  });
}

/** The database would store the whole memory behind a view. */
function exact(bytes: Uint8Array): Uint8Array {
  return bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice();
}

function iterate(
  level: BrowserDatabase,
  overlay: Overlay,
  range: PhysicalRange,
  settled: Promise<void>,
): DriverIterator {
  const { gte, lt, reverse } = range;
  const iterator = level.iterator(lt === undefined ? { gte, reverse } : { gte, lt, reverse });
  let ready: Entry[] = [];
  let position = 0;
  let last: Uint8Array | undefined;
  let isAtEnd = false;
  return {
    nextMany: async (size, skip) => {
      await settled;
      while (position === ready.length && !isAtEnd) {
        const page = await guarded(iterator.nextv(size));
        const reached = page.at(-1)?.[0];
        isAtEnd = reached === undefined;
        ready = overlay.merge(page, { range, after: last, upTo: reached });
        position = 0;
        last = reached;
      }
      position += size;
      const entries = ready.slice(position - size, position);
      position = Math.min(position, ready.length);
      for (const entry of entries) entry[0] = entry[0].subarray(skip);
      return entries;
    },
    close: () => guarded(iterator.close()),
  };
}

async function guarded<T>(result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    throw toStorageError(error);
  }
}

function toStorageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const { name, code } = error as { name?: string; code?: unknown };
  let ours: StorageErrorCode = 'IO_ERROR';
  if (name === 'QuotaExceededError') ours = 'NO_SPACE';
  if (name === 'InvalidStateError' || code === 'LEVEL_DATABASE_NOT_OPEN') ours = 'STORE_CLOSED';
  return new StorageError(ours, 'the browser could not read or write the store', { cause: error });
}
