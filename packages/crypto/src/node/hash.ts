import { BLOCK_LENGTH, HASH_LENGTH } from '../backend.ts';
import type { HashName, IncrementalHash } from '../primitives.ts';
import { blake2b as sodiumBlake2b } from '../sodium/hash.ts';
import { nodeCrypto, plain } from './node-crypto.ts';

const NAMES: Readonly<Record<HashName, string>> = {
  sha256: 'sha256',
  sha512: 'sha512',
  blake2b: 'blake2b512',
};

// Up to here two one-shot hashes of a copy are faster than a Hash object.
const ONE_SHOT_LIMIT = 4096;

/**
 * A digest in one piece. Copied: up to 64 bytes lie on V8's heap, which costs less than a second array on Node's memory, and keeps
 * less alive. Nobody's secret: who wipes a digest takes {@link digestOnce}.
 */
export function hash(name: HashName, data: Uint8Array): Uint8Array {
  return new Uint8Array(digestOnce(name, data));
}

/** The digest in the only memory that it is in. */
function digestOnce(name: HashName, data: Uint8Array): Uint8Array {
  return nodeCrypto().hash(NAMES[name], data, 'buffer');
}

/** BLAKE2b; OpenSSL offers the unkeyed 64-byte form only, the others are libsodium's. */
export function blake2b(data: Uint8Array, length: number, key: Uint8Array | undefined): Uint8Array {
  if (key !== undefined || length !== HASH_LENGTH.blake2b) return sodiumBlake2b(data, length, key);
  return hash('blake2b', data);
}

// Input of the two hashes of a HMAC; nothing here outlives a call.
const inner = new Uint8Array(128 + ONE_SHOT_LIMIT);
const outer = new Uint8Array(128 + 64);

/** HMAC (RFC 2104) by two hashes: OpenSSL's own costs 11 µs more per key on Node 24. */
export function hmac(name: HashName, key: Uint8Array, data: Uint8Array): Uint8Array {
  const block = BLOCK_LENGTH[name];
  const shortKey = key.length > block ? digestOnce(name, key) : key;
  for (let i = 0; i < block; i++) {
    const byte = i < shortKey.length ? shortKey[i]! : 0;
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  const digest = innerHash(name, block, data);
  outer.set(digest, block);
  const mac = plain(digestOnce(name, outer.subarray(0, block + digest.length)));
  digest.fill(0);
  outer.fill(0);
  if (shortKey !== key) shortKey.fill(0);
  return mac;
}

/** The hash of the padded key and the data; zeroes the copies of both. */
function innerHash(name: HashName, block: number, data: Uint8Array): Uint8Array {
  const isShort = data.length <= ONE_SHOT_LIMIT;
  const used = inner.subarray(0, isShort ? block + data.length : block);
  if (isShort) used.set(data, block);
  const digest = isShort
    ? digestOnce(name, used)
    : nodeCrypto().createHash(NAMES[name]).update(used).update(data).digest();
  used.fill(0);
  return digest;
}

/** An incremental hash. */
export function createHash(name: HashName): IncrementalHash {
  const running = nodeCrypto().createHash(NAMES[name]);
  let done = false;
  const result: IncrementalHash = {
    update(data) {
      if (done) throw new TypeError('the hash has already been computed');
      running.update(data);
      return result;
    },
    digest() {
      if (done) throw new TypeError('the hash has already been computed');
      done = true;
      return plain(running.digest());
    },
  };
  return result;
}
