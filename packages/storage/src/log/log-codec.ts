import { type AeadKey, blake2b, CryptoError, xchacha20poly1305 } from '@nzcore/crypto';
import { compareBytes, concatBytes, utf8 } from '../bytes.ts';
import { StorageError } from '../errors.ts';

/*
 * spec/storage.md §7: a segment of a log
 *
 *    0   4  'NZLG'
 *    4   1  version 1
 *    5   3  zero
 *    8  16  segment id
 *   24   8  sequence number of the first entry
 *   32   n  entries
 *
 * an entry
 *
 *    0   4  length n of what follows the nonce
 *    4   8  sequence number
 *   12  24  nonce
 *   36   n  XChaCha20-Poly1305 of: durable (8), previous (16), data; the 12 bytes in front of the nonce are associated
 *
 * `durable`: every entry below this sequence number was synced when this one was written.
 * `previous`: the first 16 bytes of the chain before this entry.
 * chain(i + 1) = BLAKE2b-256(chain key, chain(i) || sequence || data); chain(0) is 32 zero bytes.
 */
const MAGIC = utf8('NZLG');
const VERSION = 1;

/** Bytes in front of the first entry. */
export const SEGMENT_HEADER_BYTES = 32;
/** Bytes in front of what is sealed. */
export const FRAME_BYTES = 36;
const INNER_BYTES = 24;
const TAG_BYTES = 16;

/** The largest entry that is ever read, whatever is allowed to be written now. */
export const MAX_ENTRY_BYTES: number = 64 * 1_048_576;

/** The chain before the first entry of a log. */
export const EMPTY_CHAIN: Uint8Array = new Uint8Array(32);

/** The header of a segment. */
export function encodeSegmentHeader(id: Uint8Array, first: number): Uint8Array {
  return concatBytes(MAGIC, Uint8Array.of(VERSION, 0, 0, 0), id, encodeU64(first));
}

/** @throws StorageError `LOG_TRUNCATED`, `UNSUPPORTED_FORMAT`, `LOG_CORRUPT` */
export function checkSegmentHeader(header: Uint8Array, id: Uint8Array, first: number): void {
  if (header.length < SEGMENT_HEADER_BYTES) throw logError('LOG_TRUNCATED');
  if (compareBytes(header.subarray(0, 4), MAGIC) === 0 && header[4] !== VERSION) {
    throw new StorageError('UNSUPPORTED_FORMAT', 'a segment of an unknown version');
  }
  if (compareBytes(header, encodeSegmentHeader(id, first)) !== 0) throw logError('LOG_CORRUPT');
}

/** What an entry is made of. */
export interface LogEntryContent {
  readonly sequence: number;
  /** Every entry below was synced when this one was written. */
  readonly durable: number;
  /** The chain before this entry; when read, its first 16 bytes. */
  readonly previous: Uint8Array;
  readonly data: Uint8Array;
}

/** Seals an entry with a fresh nonce. */
export function encodeEntry(
  key: AeadKey,
  nonce: Uint8Array,
  { sequence, durable, previous, data }: LogEntryContent,
): Uint8Array {
  const length = INNER_BYTES + data.length + TAG_BYTES;
  const entry = new Uint8Array(FRAME_BYTES + length);
  const view = new DataView(entry.buffer);
  view.setUint32(0, length);
  view.setBigUint64(4, BigInt(sequence));
  entry.set(nonce, 12);
  const inner = concatBytes(encodeU64(durable), previous.subarray(0, 16), data);
  entry.set(key.seal(nonce, inner, entry.subarray(0, 12)), FRAME_BYTES);
  return entry;
}

/** The frame of an entry, as it claims to be. */
export interface EntryFrame {
  readonly sequence: number;
  /** Of the whole entry. */
  readonly length: number;
}

/** The frame at an offset; undefined when these bytes are none. */
export function readFrame(bytes: Uint8Array, offset: number): EntryFrame | undefined {
  if (offset + FRAME_BYTES > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, FRAME_BYTES);
  const length = view.getUint32(0);
  if (length < INNER_BYTES + TAG_BYTES || length > MAX_ENTRY_BYTES + INNER_BYTES + TAG_BYTES)
    return undefined;
  // A sequence number of 2^53 or more is no number of ours.
  if (view.getUint32(4) >= 2 ** 21) return undefined;
  return { sequence: view.getUint32(4) * 2 ** 32 + view.getUint32(8), length: FRAME_BYTES + length };
}

/** Opens a whole entry; undefined when it does not authenticate. */
export function decodeEntry(
  key: AeadKey,
  entry: Uint8Array,
  { sequence }: EntryFrame,
): LogEntryContent | undefined {
  let inner: Uint8Array;
  try {
    inner = key.open(entry.subarray(12, FRAME_BYTES), entry.subarray(FRAME_BYTES), entry.subarray(0, 12));
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'AUTHENTICATION_FAILED') return undefined;
    throw error;
  }
  const durable = decodeU64(inner, 0);
  return { sequence, durable, previous: inner.subarray(8, INNER_BYTES), data: inner.slice(INNER_BYTES) };
}

/** The chain after an entry. */
export function extendChain(
  chainKey: Uint8Array,
  chain: Uint8Array,
  sequence: number,
  data: Uint8Array,
): Uint8Array {
  return blake2b(concatBytes(chain, encodeU64(sequence), data), { key: chainKey, length: 32 });
}

/** Whether an entry was written after this chain. */
export function follows(entry: LogEntryContent, chain: Uint8Array): boolean {
  return compareBytes(entry.previous.subarray(0, 16), chain.subarray(0, 16)) === 0;
}

/** The AEAD key of a segment. */
export function segmentKey(key: Uint8Array): AeadKey {
  return xchacha20poly1305.importKey(key);
}

/** A non-negative safe integer in 8 bytes. */
export function encodeU64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** Eight bytes as a number. */
export function decodeU64(bytes: Uint8Array, offset: number): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(offset));
}

const MESSAGES = {
  LOG_CORRUPT: 'the log does not authenticate',
  LOG_TRUNCATED: 'a part of the log is missing',
  LOG_ROLLED_BACK: 'the log ends before its checkpoint, or went another way',
} as const;

/** An error of a log with the message of its code. */
export function logError(code: keyof typeof MESSAGES, cause?: unknown): StorageError {
  return new StorageError(code, MESSAGES[code], { cause });
}
