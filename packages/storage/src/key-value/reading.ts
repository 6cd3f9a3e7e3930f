import { joinBytes } from '../bytes.ts';
import { StorageError } from '../errors.ts';
import type { Driver, DriverView } from './driver.ts';
import type { OperationOptions } from './key-value-store.ts';
import { checkKey, type ResolvedLimits } from './limits.ts';
import { PagedIterator } from './paged-iterator.ts';
import { isEmptyRange, type PhysicalRange } from './range.ts';

/** What all handles of one opened driver share. */
export interface SharedState {
  readonly driver: Driver;
  readonly limits: ResolvedLimits;
  readonly iterators: Set<PagedIterator>;
  readonly snapshots: Set<DriverView>;
  closing: Promise<void> | undefined;
}

/** A namespace of a living store or of a snapshot, as far as reading goes. */
export interface Reading {
  readonly shared: SharedState;
  readonly view: DriverView;
  readonly prefix: Uint8Array;
  isDisposed: boolean;
}

/** @throws StorageError `STORE_CLOSED`, or the signal's reason */
export function assertOpen(reading: Reading, signal?: AbortSignal): void {
  if (reading.isDisposed || reading.shared.closing !== undefined) {
    throw new StorageError('STORE_CLOSED', 'the store is closed');
  }
  signal?.throwIfAborted();
}

/** The checked key behind its namespace. */
export function physicalKey(reading: Reading, key: Uint8Array): Uint8Array {
  checkKey(key, reading.prefix.length, reading.shared.limits);
  return joinBytes(reading.prefix, key);
}

/** The value of a key of this namespace. */
export function read(
  reading: Reading,
  key: Uint8Array,
  options?: OperationOptions,
): Promise<Uint8Array | undefined> {
  // Not an async function: each one between the caller and the database costs a get a tenth of its time.
  try {
    assertOpen(reading, options?.signal);
    return reading.view.get(physicalKey(reading, key));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Walks over a physical range and leaves the first `skip` bytes of each key out. */
export function walk(
  reading: Reading,
  range: PhysicalRange,
  skip: number,
  signal?: AbortSignal,
): PagedIterator {
  assertOpen(reading);
  const { view, shared } = reading;
  const source = isEmptyRange(range) ? undefined : view.iterate(range);
  const iterator: PagedIterator = new PagedIterator(
    {
      fetch: (size) => (source === undefined ? Promise.resolve([]) : source.nextMany(size, skip)),
      close: () => source?.close(),
    },
    { limit: range.limit, signal, onEnd: () => shared.iterators.delete(iterator) },
  );
  shared.iterators.add(iterator);
  return iterator;
}
