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

/** A digest in one piece. */
export function hash(name: HashName, data: Uint8Array): Uint8Array {
  return plain(nodeCrypto().hash(NAMES[name], data, 'buffer'));
}

/** BLAKE2b; OpenSSL offers the unkeyed 64-byte form only, the others are libsodium's. */
export function blake2b(data: Uint8Array, length: number, key: Uint8Array | undefined): Uint8Array {
  if (key !== undefined || length !== HASH_LENGTH.blake2b) return sodiumBlake2b(data, length, key);
  return hash('blake2b', data);
}

/** HMAC (RFC 2104) by two hashes: OpenSSL's own costs 11 µs more per key on Node 24. */
export function hmac(name: HashName, key: Uint8Array, data: Uint8Array): Uint8Array {
  const block = BLOCK_LENGTH[name];
  const digestLength = HASH_LENGTH[name];
  const inner = new Uint8Array(block + (data.length <= ONE_SHOT_LIMIT ? data.length : 0));
  const outer = new Uint8Array(block + digestLength);
  const shortKey = key.length > block ? hash(name, key) : key;
  inner.set(shortKey);
  outer.set(shortKey);
  for (let i = 0; i < block; i++) {
    inner[i]! ^= 0x36;
    outer[i]! ^= 0x5c;
  }
  if (inner.length > block) inner.set(data, block);
  outer.set(data.length <= ONE_SHOT_LIMIT ? hash(name, inner) : digestParts(name, inner, data), block);
  const mac = hash(name, outer);
  inner.fill(0);
  outer.fill(0);
  if (shortKey !== key) shortKey.fill(0);
  return mac;
}

function digestParts(name: HashName, first: Uint8Array, second: Uint8Array): Uint8Array {
  return nodeCrypto().createHash(NAMES[name]).update(first).update(second).digest();
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
