import { StorageError } from '../errors.ts';
import type { KeyValueStore, Reader } from '../key-value/key-value-store.ts';
import type { ResolvedLimits } from '../key-value/limits.ts';
import type { PagedIterator } from '../key-value/paged-iterator.ts';
import type { DirectWriter } from '../key-value/store.ts';
import { ANCHOR_KEY, type Freshness, isFresh, type SealedWrite } from './freshness.ts';
import type { Keyring } from './keyring.ts';
import type { RecordCodec } from './record.ts';
import type { WriteGate } from './write-gate.ts';

/** Where records and the store's own entries lie in the base store. */
export const RECORDS = 'r';
/** The keyring and the anchor. */
export const META = 'm';

/** What all handles of one encrypted store share. */
export interface EncryptedState {
  readonly base: KeyValueStore;
  readonly records: KeyValueStore;
  /** The short way to the records, if the base is a store of this package. */
  readonly direct: DirectWriter | undefined;
  readonly meta: KeyValueStore;
  readonly keyring: Keyring;
  readonly codec: RecordCodec;
  readonly freshness: Freshness | undefined;
  readonly gate: WriteGate;
  readonly limits: ResolvedLimits;
  readonly iterators: Set<PagedIterator>;
  closing: Promise<void> | undefined;
}

/** @throws StorageError `STORE_CLOSED`, or the signal's reason */
export function assertEncryptedOpen(state: EncryptedState, isDisposed: boolean, signal?: AbortSignal): void {
  if (isDisposed || state.closing !== undefined)
    throw new StorageError('STORE_CLOSED', 'the store is closed');
  signal?.throwIfAborted();
}

/** Writes records, with the anchor in the same batch where there is one. Call it inside of the gate. */
export async function commit(
  { base, records, meta, freshness }: EncryptedState,
  writes: readonly SealedWrite[],
  sync: boolean,
): Promise<void> {
  if (freshness === undefined) {
    await records.batch(
      writes.map(({ key, record }) =>
        record === undefined ? { type: 'delete', key } : { type: 'put', key, value: record },
      ),
      { sync },
    );
    return;
  }
  if (freshness.isUncertain) freshness.settle(await meta.get(ANCHOR_KEY));
  const change = freshness.begin(writes);
  const namespace = [RECORDS];
  try {
    await base.batch(
      [
        ...writes.map(({ key, record }) =>
          record === undefined
            ? ({ type: 'delete', key, namespace } as const)
            : ({ type: 'put', key, value: record, namespace } as const),
        ),
        { type: 'put', key: ANCHOR_KEY, value: change.anchor, namespace: [META] },
      ],
      { sync },
    );
    change.done();
  } catch (error) {
    change.failed();
    throw error;
  }
}

/** The record of a physical key, known to be the last one. */
export async function readRecord(
  { records, gate }: EncryptedState,
  freshness: Freshness,
  key: Uint8Array,
): Promise<Uint8Array | undefined> {
  const record = await records.get(key);
  if (isFresh(freshness.versions, key, record)) return record;
  // A write may have come in between; while the gate is held none can.
  return gate.hold(async () => {
    const again = await records.get(key);
    assertFresh(freshness, key, again);
    return again;
  });
}

/** The record of a snapshot, compared with the versions of its moment. */
export async function readOldRecord(
  records: Reader,
  versions: Freshness['versions'] | undefined,
  key: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  const record = await records.get(key, { signal });
  if (versions !== undefined) assertFresh({ versions }, key, record);
  return record;
}

function assertFresh(
  { versions }: Pick<Freshness, 'versions'>,
  key: Uint8Array,
  record: Uint8Array | undefined,
): void {
  if (!isFresh(versions, key, record)) throw rolledBack();
}

/** A record is there, but it is not the last one; or one is missing. */
export function rolledBack(): StorageError {
  return new StorageError('RECORD_ROLLED_BACK', 'a record is not the one that was written last');
}
