import { blake2b, equalBytes, xchacha20poly1305 } from '@nzcore/crypto';
import { compareBytes, concatBytes, utf8 } from '../bytes.ts';
import { StorageError } from '../errors.ts';
import type { Entry, KeyValueStore } from '../key-value/key-value-store.ts';
import { locate, pagesOf, type SortedPages, withEntry, withoutEntry } from '../key-value/sorted-pages.ts';
import type { Keyring } from './keyring.ts';
import { createNonces } from './nonces.ts';

/*
 * spec/storage.md §5: a store with freshness knows which version of each record is the last one.
 *
 * A record's version is its nonce. The anchor holds how many records there are and the XOR of
 * BLAKE2b-256(fresh key, version || physical key) over all of them: an incremental multiset hash under a secret key
 * (MSet-XOR-Hash, Clarke et al., ASIACRYPT 2003). It is written in one batch with each change.
 *
 *    0   1  version 1
 *    1  24  nonce
 *   25  64  XChaCha20-Poly1305 of: sequence (8), records (8), digest (32)
 */
const VERSION = 1;
const NONCE_BYTES = 24;
const DIGEST_BYTES = 32;
const ANCHOR_BYTES = 1 + NONCE_BYTES + 48 + 16;

/** The key of the anchor in the store's own namespace. */
export const ANCHOR_KEY: Uint8Array = utf8('anchor');

/** How far a store has come: keep it elsewhere, and an older copy of the whole store is found out. */
export interface StoreCheckpoint {
  /** Rises with every write. */
  readonly sequence: bigint;
  /** 32 bytes; says which records there were. */
  readonly digest: Uint8Array;
}

/** One sealed write: the record, or undefined for a deletion. */
export interface SealedWrite {
  readonly key: Uint8Array;
  readonly record: Uint8Array | undefined;
}

/** The versions that may be found: one set, two while a write is under way. */
export type Versions = readonly SortedPages[];

/** What reading and writing with freshness needs. */
export interface Freshness {
  readonly versions: Versions;
  readonly checkpoint: StoreCheckpoint;
  /** Whether the last write may have reached the disk or not; `settle` it before the next one. */
  readonly isUncertain: boolean;
  /** Decides by the anchor that is on the disk. */
  settle(anchor: Uint8Array | undefined): void;
  /** The anchor for the store after these writes; `done` or `failed` must follow before the next one. */
  begin(writes: readonly SealedWrite[]): { anchor: Uint8Array; done(): void; failed(): void };
}

interface State {
  readonly pages: SortedPages;
  readonly count: number;
  readonly sequence: bigint;
  readonly digest: Uint8Array;
}

/** Options of {@link loadFreshness}. */
export interface FreshnessOptions {
  /** Takes what is found as the truth. */
  readonly accept: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads the version of every record and compares them with the anchor.
 * @throws StorageError `STORE_ROLLED_BACK`
 */
export async function loadFreshness(
  records: KeyValueStore,
  meta: KeyValueStore,
  keyring: Keyring,
  { accept, signal }: FreshnessOptions,
): Promise<Freshness> {
  const freshKey = keyring.deriveIndexKey(utf8('NZ-STORAGE-01/fresh'));
  const anchorKey = keyring.deriveIndexKey(utf8('NZ-STORAGE-01/anchor'));
  const found = await readVersions(records, freshKey, signal);
  const bytes = await meta.get(ANCHOR_KEY);
  const anchor = bytes === undefined ? undefined : openAnchor(bytes, anchorKey);
  const isExpected =
    anchor === undefined
      ? found.count === 0
      : anchor.count === found.count && equalBytes(anchor.digest, found.digest);
  if (!isExpected && !accept) {
    throw new StorageError('STORE_ROLLED_BACK', 'the records are not those that were written last');
  }
  return createFreshness({ ...found, sequence: anchor?.sequence ?? 0n }, freshKey, anchorKey);
}

function createFreshness(loaded: State, freshKey: Uint8Array, anchorKey: Uint8Array): Freshness {
  let state = loaded;
  let pending: State | undefined;
  let isUncertain = false;
  const nextNonce = createNonces();
  return {
    get versions() {
      return pending === undefined ? [state.pages] : [state.pages, pending.pages];
    },
    get checkpoint() {
      return { sequence: state.sequence, digest: state.digest.slice() };
    },
    get isUncertain() {
      return isUncertain;
    },
    settle(anchor) {
      const found = anchor === undefined ? undefined : openAnchor(anchor, anchorKey);
      if (pending !== undefined && found?.sequence === pending.sequence) state = pending;
      pending = undefined;
      isUncertain = false;
    },
    begin(writes) {
      const next = applied(state, writes, freshKey);
      pending = next;
      return {
        anchor: sealAnchor(next, anchorKey, nextNonce()),
        done: () => {
          state = next;
          pending = undefined;
        },
        failed: () => {
          isUncertain = true;
        },
      };
    },
  };
}

function applied(state: State, writes: readonly SealedWrite[], freshKey: Uint8Array): State {
  let { pages, count } = state;
  const digest = state.digest.slice();
  for (const { key, record } of writes) {
    const old = versionOf(pages, key);
    if (old !== undefined) xorInto(digest, contribution(freshKey, key, old));
    if (record === undefined) {
      if (old !== undefined) count--;
      pages = withoutEntry(pages, key);
      continue;
    }
    const version = recordVersion(record);
    if (old === undefined) count++;
    xorInto(digest, contribution(freshKey, key, version));
    pages = withEntry(pages, [key, version]);
  }
  return { pages, count, digest, sequence: state.sequence + 1n };
}

/** Whether a record, or its absence, is what was written last (in any of the possible versions). */
export function isFresh(versions: Versions, key: Uint8Array, record: Uint8Array | undefined): boolean {
  return versions.some((pages) => {
    const expected = versionOf(pages, key);
    if (expected === undefined || record === undefined) return expected === record;
    return record.length >= 5 + NONCE_BYTES && compareBytes(recordVersion(record), expected) === 0;
  });
}

/** The keys that must be there, in their order, of those in the range. */
export function* expectedKeys(
  versions: Versions,
  { gte, lt }: { gte: Uint8Array; lt: Uint8Array | undefined },
): Generator<Uint8Array, undefined> {
  const [pages = [], ...others] = versions;
  let { page, index } = locate(pages, gte);
  for (; page < pages.length; page++, index = 0) {
    for (; index < pages[page]!.length; index++) {
      const key = pages[page]![index]![0];
      if (lt !== undefined && compareBytes(key, lt) >= 0) return;
      if (others.every((other) => locate(other, key).isPresent)) yield key;
    }
  }
}

async function readVersions(
  records: KeyValueStore,
  freshKey: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<Omit<State, 'sequence'>> {
  const versions: Entry[] = [];
  const digest = new Uint8Array(DIGEST_BYTES);
  await using entries = records.iterate({ signal });
  for (let page = await entries.nextMany(1_000); page.length > 0; page = await entries.nextMany(1_000)) {
    for (const [key, record] of page) {
      const version = recordVersion(record);
      xorInto(digest, contribution(freshKey, key, version));
      versions.push([key.slice(), version]);
    }
  }
  return { pages: pagesOf(versions), count: versions.length, digest };
}

function recordVersion(record: Uint8Array): Uint8Array {
  return record.slice(5, 5 + NONCE_BYTES);
}

function versionOf(pages: SortedPages, key: Uint8Array): Uint8Array | undefined {
  const { page, index, isPresent } = locate(pages, key);
  return isPresent ? pages[page]![index]![1] : undefined;
}

function contribution(freshKey: Uint8Array, key: Uint8Array, version: Uint8Array): Uint8Array {
  return blake2b(concatBytes(version, key), { key: freshKey, length: DIGEST_BYTES });
}

function xorInto(digest: Uint8Array, other: Uint8Array): void {
  for (let i = 0; i < DIGEST_BYTES; i++) digest[i]! ^= other[i]!;
}

function sealAnchor({ sequence, count, digest }: State, key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const body = new Uint8Array(48);
  const view = new DataView(body.buffer);
  view.setBigUint64(0, sequence);
  view.setBigUint64(8, BigInt(count));
  body.set(digest, 16);
  return concatBytes(Uint8Array.of(VERSION), nonce, xchacha20poly1305.seal(key, nonce, body));
}

/** @throws StorageError `UNSUPPORTED_FORMAT` or `STORE_CORRUPT` */
export function openAnchor(bytes: Uint8Array, key: Uint8Array): Omit<State, 'pages'> {
  if (bytes.length !== ANCHOR_BYTES) throw corrupt();
  if (bytes[0] !== VERSION) throw new StorageError('UNSUPPORTED_FORMAT', 'an anchor of an unknown version');
  let body: Uint8Array;
  try {
    body = xchacha20poly1305.open(key, bytes.subarray(1, 25), bytes.subarray(25));
  } catch (error) {
    throw corrupt(error);
  }
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  return { sequence: view.getBigUint64(0), count: Number(view.getBigUint64(8)), digest: body.slice(16) };
}

function corrupt(cause?: unknown): StorageError {
  return new StorageError('STORE_CORRUPT', 'the anchor of the store is damaged', { cause });
}
