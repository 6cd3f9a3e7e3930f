import type { Entry } from './key-value-store.ts';
import type { PhysicalRange } from './range.ts';

/** One write to physical keys; without a value it deletes. */
export interface DriverOperation {
  readonly key: Uint8Array;
  readonly value?: Uint8Array;
}

/** A walk over physical keys, as of its beginning. */
export interface DriverIterator {
  /** An empty list means the end. */
  nextMany(size: number): Promise<Entry[]>;
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
  write(operations: readonly DriverOperation[], sync: boolean): Promise<void>;
  snapshot(): DriverView;
  compact(): Promise<void>;
  /** Bytes below, of the whole driver. */
  storedBytes(): Promise<number | undefined>;
}
