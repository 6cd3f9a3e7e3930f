import { BytePool } from '../byte-pool.ts';
import { type SodiumLibrary, sodium } from './library.ts';

/*
 * One persistent area of libsodium's memory, so that a call costs copies but no malloc:
 *
 *   0    key       128 bytes (a signing key is 64, a HMAC block 128)
 *   128  nonce      64 bytes
 *   192  output    128 bytes (tags, digests, signatures, keys)
 *   320  state     704 bytes, 64-aligned (the largest, BLAKE2b's, has 384)
 *   1024 data      CAPACITY bytes
 *
 * Everything here is synchronous: no call can meet the bytes of another. Whoever writes a secret wipes it.
 */
const KEY = 0;
const NONCE = 128;
const OUTPUT = 192;
const STATE = 320;
const DATA = 1024;

// A record of the channel (64 KiB and headers) with its associated data fits.
const CAPACITY = 72 * 1024;

/** Addresses in libsodium's memory. */
export interface Scratch {
  readonly library: SodiumLibrary;
  /** 128 bytes. */
  readonly key: number;
  /** 64 bytes. */
  readonly nonce: number;
  /** 128 bytes. */
  readonly output: number;
  /** 704 bytes. */
  readonly state: number;
  /** {@link CAPACITY} bytes. */
  readonly data: number;
}

let scratch: Scratch | undefined;
const pool: BytePool = new BytePool();

/** The area; made on first use. @throws CryptoError `NOT_READY` */
export function useScratch(): Scratch {
  if (scratch !== undefined) return scratch;
  const library = sodium();
  const base = alignedMalloc(library, DATA + CAPACITY);
  scratch = {
    library,
    key: base + KEY,
    nonce: base + NONCE,
    output: base + OUTPUT,
    state: base + STATE,
    data: base + DATA,
  };
  return scratch;
}

function alignedMalloc(library: SodiumLibrary, length: number): number {
  const address = library._malloc(length + 63);
  if (address === 0) throw new RangeError('libsodium has no memory left');
  return (address + 63) & ~63;
}

/**
 * Runs `action` with an address of at least `length` writable bytes. The bytes are zeroed afterwards, also on failure:
 * they are inputs and plaintexts.
 */
export function withData<T>(area: Scratch, length: number, action: (address: number) => T): T {
  if (length <= CAPACITY) {
    try {
      return action(area.data);
    } finally {
      zero(area, area.data, length);
    }
  }
  const { library } = area;
  const address = library._malloc(length);
  if (address === 0) throw new RangeError(`libsodium has no memory for ${length} bytes`);
  try {
    return action(address);
  } finally {
    zero(area, address, length);
    library._free(address);
  }
}

/** Copies bytes into the memory. */
export function put(area: Scratch, address: number, bytes: Uint8Array): void {
  area.library.HEAPU8.set(bytes, address);
}

/** Copies parts one after another into the memory. */
export function putParts(area: Scratch, address: number, parts: readonly Uint8Array[]): void {
  let at = address;
  for (const part of parts) {
    area.library.HEAPU8.set(part, at);
    at += part.length;
  }
}

/** A fresh copy of bytes of the memory. */
export function take(area: Scratch, address: number, length: number): Uint8Array {
  return area.library.HEAPU8.slice(address, address + length);
}

/** A copy of bytes of the memory that are no secret; small ones share their buffer with others. */
export function takePooled(area: Scratch, address: number, length: number): Uint8Array {
  const result = pool.take(length);
  result.set(area.library.HEAPU8.subarray(address, address + length));
  return result;
}

/** A fresh copy of a result, which is zeroed in the memory. */
export function takeOutput(area: Scratch, length: number): Uint8Array {
  const result = take(area, area.output, length);
  zero(area, area.output, length);
  return result;
}

/** Zeroes bytes of the memory. */
export function zero(area: Scratch, address: number, length: number): void {
  area.library.HEAPU8.fill(0, address, address + length);
}
