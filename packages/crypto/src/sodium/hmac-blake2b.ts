import { BLOCK_LENGTH, HASH_LENGTH } from '../backend.ts';
import { put, type Scratch, takeOutput, useScratch, withData } from './scratch.ts';

/*
 * libsodium has no HMAC with BLAKE2b: it is two hashes (RFC 2104), and HKDF is several HMACs (RFC 5869). A handshake derives
 * eight keys on each side, so here they are without an array for each step.
 */

const BLOCK = BLOCK_LENGTH.blake2b;
const LENGTH = HASH_LENGTH.blake2b;
const INNER_PAD = 0x36363636;
const OUTER_PAD = 0x5c5c5c5c;

// The padded key, masked by four bytes at once before it goes to libsodium's memory; zero outside of a call.
const padded = new Uint8Array(BLOCK);
const words = new Uint32Array(padded.buffer);

/** HMAC-BLAKE2b-512. */
export function hmacBlake2b(key: Uint8Array, data: Uint8Array): Uint8Array {
  const area = useScratch();
  return withData(area, BLOCK + Math.max(key.length, data.length, LENGTH), (address) => {
    try {
      padKey(area, address, key);
      put(area, address + BLOCK, data);
      mac(area, address, data.length);
    } finally {
      padded.fill(0);
    }
    return takeOutput(area, LENGTH);
  });
}

/** HKDF with HMAC-BLAKE2b-512. */
export function hkdfBlake2b(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const area = useScratch();
  const { library, output } = area;
  const longest = Math.max(salt.length, ikm.length, LENGTH + info.length + 1);
  return withData(area, BLOCK + longest, (address) => {
    const okm = new Uint8Array(length);
    try {
      extract(area, address, salt, ikm);
      expand(area, address, info, okm);
    } finally {
      padded.fill(0);
      library.HEAPU8.fill(0, output, output + LENGTH);
    }
    return okm;
  });
}

/** HKDF-Extract: leaves the pseudorandom key, masked for the inner hash, in `padded`. */
function extract(area: Scratch, address: number, salt: Uint8Array, ikm: Uint8Array): void {
  const { library, output } = area;
  padKey(area, address, salt);
  put(area, address + BLOCK, ikm);
  mac(area, address, ikm.length);
  padded.fill(0);
  padded.set(library.HEAPU8.subarray(output, output + LENGTH));
  mask(INNER_PAD);
}

/** HKDF-Expand with the key that is in `padded`: T(n - 1) | info | n; the first block has no T. */
function expand(area: Scratch, address: number, info: Uint8Array, okm: Uint8Array): void {
  const { library, output } = area;
  const data = address + BLOCK;
  for (let at = 0, counter = 1; at < okm.length; at += LENGTH, counter++) {
    const start = counter === 1 ? 0 : LENGTH;
    if (counter > 1) {
      mask(INNER_PAD ^ OUTER_PAD);
      library.HEAPU8.copyWithin(data, output, output + LENGTH);
    }
    put(area, data + start, info);
    library.HEAPU8[data + start + info.length] = counter;
    mac(area, address, start + info.length + 1);
    const rest = Math.min(LENGTH, okm.length - at);
    okm.set(library.HEAPU8.subarray(output, output + rest), at);
  }
}

/** Leaves the key, padded and masked for the inner hash, in `padded`. */
function padKey(area: Scratch, address: number, key: Uint8Array): void {
  if (key.length <= BLOCK) padded.set(key);
  else {
    const { library, output } = area;
    put(area, address, key);
    library._crypto_generichash(output, LENGTH, address, key.length, 0, 0, 0);
    padded.set(library.HEAPU8.subarray(output, output + LENGTH));
  }
  mask(INNER_PAD);
}

function mask(pattern: number): void {
  for (let i = 0; i < words.length; i++) words[i]! ^= pattern;
}

/** Authenticates the data behind the block at `address`; `padded` is masked for the outer hash afterwards. */
function mac(area: Scratch, address: number, length: number): void {
  const { library, output } = area;
  put(area, address, padded);
  library._crypto_generichash(output, LENGTH, address, BLOCK + length, 0, 0, 0);
  mask(INNER_PAD ^ OUTER_PAD);
  put(area, address, padded);
  library.HEAPU8.copyWithin(address + BLOCK, output, output + LENGTH);
  library._crypto_generichash(output, LENGTH, address, BLOCK + LENGTH, 0, 0, 0);
}
