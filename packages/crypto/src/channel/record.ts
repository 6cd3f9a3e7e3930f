/** What a record is for: the first byte of its plaintext (NZ-CHANNEL-01 §5.2). */
export const RecordType = {
  data: 0,
  keyUpdate: 1,
  ratchetOffer: 2,
  ratchetAnswer: 3,
  ratchetCommit: 4,
  close: 5,
} as const;

/** One of the numbers in {@link RecordType}. */
export type RecordTypeNumber = (typeof RecordType)[keyof typeof RecordType];

/** Bytes of the length in front of a stream record (NZ-CHANNEL-01 §5.1). */
export const LENGTH_BYTES = 4;
/** Bytes of the record type in front of the content. */
export const TYPE_BYTES = 1;
/** Bytes of the authentication tag. */
export const TAG_BYTES = 16;
/** By how much a sealed record is longer than its content. */
export const SEAL_OVERHEAD: number = TYPE_BYTES + TAG_BYTES;
/** Sealed length up to which the mixed cipher takes ChaCha20-Poly1305 (NZ-CHANNEL-01 §4.4); part of the protocol. */
export const SMALL_RECORD = 1_536;

/** Writes a counter below 2^32 into the last eight bytes of a 12-byte nonce (NZ-CHANNEL-01 §4.5). */
export function writeCounter(nonce: Uint8Array, counter: number, isLittleEndian: boolean): void {
  const low = isLittleEndian ? counter : 0;
  const high = isLittleEndian ? 0 : counter;
  nonce[4] = low;
  nonce[5] = low >>> 8;
  nonce[6] = low >>> 16;
  nonce[7] = low >>> 24;
  nonce[8] = high >>> 24;
  nonce[9] = high >>> 16;
  nonce[10] = high >>> 8;
  nonce[11] = high;
}

/** Reads a big-endian 32-bit number. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** Writes a big-endian 32-bit number. */
export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
