import { type AeadKey, CryptoError } from '@nzcore/crypto';
import { compareBytes, concatBytes, utf8 } from '../bytes.ts';
import { StorageError } from '../errors.ts';

/*
 * spec/storage.md §6: an encrypted file
 *
 *    0   4  'NZFL'
 *    4   1  version 1
 *    5   1  log2 of the chunk size: 16
 *    6   2  zero
 *    8  16  file id
 *   24   n  chunks: ChaCha20-Poly1305 of 64 KiB of plaintext each, the last one of 0 to 64 KiB
 *
 * The nonce of a chunk is 3 zero bytes, its index in 8 bytes, and 1 for the last chunk, else 0 (the STREAM
 * construction of Hoang, Reyhanitabar, Rogaway and Vizár, CRYPTO 2015). The header is the associated data.
 * The key is random and belongs to this one file, so that a counter is a safe nonce.
 */
const MAGIC = utf8('NZFL');
const VERSION = 1;
const CHUNK_EXPONENT = 16;

/** Plaintext bytes of every chunk but the last. */
export const CHUNK_BYTES: number = 2 ** CHUNK_EXPONENT;
/** Bytes in front of the first chunk. */
export const FILE_HEADER_BYTES = 24;
/** Of a sealed chunk that is not the last. */
export const SEALED_CHUNK_BYTES: number = CHUNK_BYTES + 16;

const TAG_BYTES = 16;

/** The header of a file with this id of 16 bytes. */
export function encodeFileHeader(id: Uint8Array): Uint8Array {
  return concatBytes(MAGIC, Uint8Array.of(VERSION, CHUNK_EXPONENT, 0, 0), id);
}

/** @throws StorageError `FILE_TRUNCATED`, `FILE_CORRUPT`, `UNSUPPORTED_FORMAT`; `FILE_ROLLED_BACK` for another id */
export function checkFileHeader(header: Uint8Array, id: Uint8Array): void {
  if (header.length < FILE_HEADER_BYTES) throw fileError('FILE_TRUNCATED');
  if (compareBytes(header.subarray(0, 4), MAGIC) !== 0) throw fileError('FILE_CORRUPT');
  if (header[4] !== VERSION || header[5] !== CHUNK_EXPONENT) throw fileError('UNSUPPORTED_FORMAT');
  if (compareBytes(header.subarray(8, FILE_HEADER_BYTES), id) !== 0) throw fileError('FILE_ROLLED_BACK');
  if (header[6] !== 0 || header[7] !== 0) throw fileError('FILE_CORRUPT');
}

/** The plaintext's size by the file's size. @throws StorageError `FILE_TRUNCATED` when no plaintext makes such a file */
export function plaintextSize(fileSize: number): number {
  const sealed = fileSize - FILE_HEADER_BYTES;
  const chunks = Math.ceil(sealed / SEALED_CHUNK_BYTES);
  const last = sealed - (chunks - 1) * SEALED_CHUNK_BYTES;
  // Only the last chunk may be short; it has at least its tag, and if it is not the first one, a byte.
  if (chunks < 1 || last < TAG_BYTES || (chunks > 1 && last === TAG_BYTES)) throw fileError('FILE_TRUNCATED');
  return sealed - chunks * TAG_BYTES;
}

/** The index of the last chunk of a plaintext of this size; an empty one has one chunk too. */
export function lastChunkIndex(size: number): number {
  return Math.max(0, Math.ceil(size / CHUNK_BYTES) - 1);
}

/** Where a sealed chunk begins. */
export function chunkPosition(index: number): number {
  return FILE_HEADER_BYTES + index * SEALED_CHUNK_BYTES;
}

/** The nonce of a chunk. */
export function chunkNonce(index: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(3, BigInt(index));
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

/** The plaintext of a chunk. @throws StorageError `FILE_TRUNCATED` or `FILE_CORRUPT` */
export function openChunk(
  key: AeadKey,
  header: Uint8Array,
  sealed: Uint8Array,
  { index, isLast }: { index: number; isLast: boolean },
): Uint8Array {
  const plaintext = tryOpen(key, chunkNonce(index, isLast), sealed, header);
  if (plaintext !== undefined) return plaintext;
  // A whole chunk from the middle in the last place: the file ended here by someone else's will.
  const isCut = isLast && tryOpen(key, chunkNonce(index, false), sealed, header) !== undefined;
  throw fileError(isCut ? 'FILE_TRUNCATED' : 'FILE_CORRUPT');
}

function tryOpen(
  key: AeadKey,
  nonce: Uint8Array,
  sealed: Uint8Array,
  header: Uint8Array,
): Uint8Array | undefined {
  try {
    return key.open(nonce, sealed, header);
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'AUTHENTICATION_FAILED') return undefined;
    throw error;
  }
}

const MESSAGES = {
  FILE_TRUNCATED: 'the end of the file is missing',
  FILE_CORRUPT: 'the file does not authenticate',
  FILE_ROLLED_BACK: 'another file, or an older one, lies in its place',
  FILE_MISSING: 'the file is missing',
  UNSUPPORTED_FORMAT: 'a file of an unknown version',
} as const;

/** An error of a file with the message of its code. */
export function fileError(code: keyof typeof MESSAGES, cause?: unknown): StorageError {
  return new StorageError(code, MESSAGES[code], { cause });
}
