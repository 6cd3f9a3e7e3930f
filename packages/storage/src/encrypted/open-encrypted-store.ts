import { equalBytes } from '@nzcore/crypto';
import { utf8 } from '../bytes.ts';
import { StorageError } from '../errors.ts';
import type { KeyValueStore, OperationOptions, StoreLimits } from '../key-value/key-value-store.ts';
import { resolveLimits } from '../key-value/limits.ts';
import { directWriter } from '../key-value/store.ts';
import { type EncryptedState, META, RECORDS } from './encrypted-state.ts';
import { createEncryptedRoot, type EncryptedStore } from './encrypted-store.ts';
import { loadFreshness, type StoreCheckpoint } from './freshness.ts';
import type { KeySource } from './key-source.ts';
import { Keyring } from './keyring.ts';
import { createRecordCodec } from './record.ts';
import { WriteGate } from './write-gate.ts';

/** Options of {@link openEncryptedStore}. */
export interface EncryptedStoreOptions extends OperationOptions {
  /** 32 bytes, borrowed for the call; the data keys are wrapped under it. */
  readonly key: KeySource;
  /** Otherwise a base without an encrypted store is refused with `STORE_MISSING`. @defaultValue true */
  readonly createIfMissing?: boolean | undefined;
  /**
   * Hides keys and namespaces too; an iteration then reads and sorts its whole namespace. Decided when the store is
   * made, taken from it later. @defaultValue false
   */
  readonly blindKeys?: boolean | undefined;
  /**
   * Finds out single records that were rolled back, removed or brought back; costs about 300 bytes of memory a record,
   * a walk at opening, and writes one after the other. Decided when the store is made, taken from it later.
   * @defaultValue false
   */
  readonly freshness?: boolean | undefined;
  /** Refuses a store that has not come as far: `STORE_ROLLED_BACK`. Only for a store with freshness. */
  readonly notBefore?: StoreCheckpoint | undefined;
  /** Opens a store with freshness whatever is found in it, and takes that as the truth. @defaultValue false */
  readonly acceptRollback?: boolean | undefined;
  readonly limits?: StoreLimits | undefined;
}

const BLIND_FLAG = 1;
const FRESH_FLAG = 2;
const KEYRING_KEY = utf8('keyring');

/**
 * Encryption over any store. The result owns the base: closing it closes the base as well.
 *
 * @throws StorageError `WRONG_KEY`; `STORE_CORRUPT` for a damaged or missing keyring; `STORE_MISSING`;
 *   `STORE_ROLLED_BACK`; `UNSUPPORTED_FORMAT`; the base stays open then
 */
export async function openEncryptedStore(
  base: KeyValueStore,
  options: EncryptedStoreOptions,
): Promise<EncryptedStore> {
  const { blindKeys, freshness, createIfMissing = true, signal } = options;
  signal?.throwIfAborted();
  const limits = resolveLimits(options.limits);
  const records = base.namespace(RECORDS);
  const meta = base.namespace(META);
  const keyring = await Keyring.open(keyringSlot(meta), {
    kind: 'records',
    key: options.key,
    create: createIfMissing,
    flags: (blindKeys === true ? BLIND_FLAG : 0) | (freshness === true ? FRESH_FLAG : 0),
    hasData: async () => (await records.iterate({ limit: 1 }).nextMany(1)).length > 0,
  });
  try {
    const isBlinded = hasFlag(keyring, BLIND_FLAG, blindKeys, 'blinded keys');
    const isFresh = hasFlag(keyring, FRESH_FLAG, freshness, 'freshness');
    const accept = options.acceptRollback === true;
    const loaded = isFresh ? await loadFreshness(records, meta, keyring, { accept, signal }) : undefined;
    checkProgress(loaded?.checkpoint, options.notBefore);
    const codec = createRecordCodec(keyring, { isBlinded });
    const state: EncryptedState = {
      base,
      records,
      direct: directWriter(records),
      meta,
      keyring,
      codec,
      freshness: loaded,
      gate: new WriteGate(),
      limits,
      iterators: new Set(),
      closing: undefined,
    };
    return createEncryptedRoot(state);
  } catch (error) {
    keyring.dispose();
    throw error;
  }
}

function keyringSlot(meta: KeyValueStore): {
  read(): Promise<Uint8Array | undefined>;
  write(b: Uint8Array): Promise<void>;
} {
  return {
    read: () => meta.get(KEYRING_KEY),
    write: (bytes) => meta.put(KEYRING_KEY, bytes, { sync: true }),
  };
}

function hasFlag(keyring: Keyring, flag: number, wanted: boolean | undefined, name: string): boolean {
  const isSet = (keyring.flags & flag) !== 0;
  if (wanted !== undefined && wanted !== isSet) {
    throw new TypeError(`the store was made ${isSet ? 'with' : 'without'} ${name}`);
  }
  return isSet;
}

function checkProgress(reached: StoreCheckpoint | undefined, notBefore: StoreCheckpoint | undefined): void {
  if (notBefore === undefined) return;
  if (reached === undefined) throw new TypeError('a store without freshness has no checkpoints');
  const isBehind = reached.sequence < notBefore.sequence;
  const isAnother = reached.sequence === notBefore.sequence && !equalBytes(reached.digest, notBefore.digest);
  if (isBehind || isAnother)
    throw new StorageError('STORE_ROLLED_BACK', 'the store is older than its checkpoint');
}
