import type { Entry } from './key-value-store.ts';
import type { PhysicalRange } from './range.ts';

/** One write to physical keys, in the form that LevelDB takes. */
export type DriverOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array };

/** A walk over physical keys, as of its beginning. */
export interface DriverIterator {
  /** Entries without the first `skip` bytes of their keys; an empty list means the end. */
  nextMany(size: number, skip: number): Promise<Entry[]>;
  close(): void | Promise<void>;
}

/** What a driver can read, living or of one moment. */
export interface DriverView {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  iterate(range: PhysicalRange): DriverIterator;
  close(): void | Promise<void>;
}

/**
 * What memory, LevelDB and IndexedDB each provide below the one {@link KeyValueStore} of this package:
 * no namespaces, no checks, no limits. Errors are StorageError.
 */
export interface Driver extends DriverView {
  /**
   * All or nothing; when the iteration throws, nothing. It is iterated over once. An array's operations stay as they are
   * until the write has settled; what yields them one after another may use the memory of one for the next.
   */
  write(operations: Iterable<DriverOperation>, sync: boolean): Promise<void>;
  snapshot(): DriverView;
  compact(): Promise<void>;
  /** Bytes below, of the whole driver. */
  storedBytes(): Promise<number | undefined>;
}
