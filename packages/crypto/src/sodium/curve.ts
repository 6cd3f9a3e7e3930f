import type { Ed25519Backend, X25519Backend } from '../backend.ts';
import { randomBytes } from '../bytes.ts';
import type { KeyPair } from '../primitives.ts';
import { put, type Scratch, take, takeOutput, useScratch, withData, zero } from './scratch.ts';

const SEED = 32;
const EXPANDED_SECRET = 64;

/** Ed25519 (RFC 8032). */
export const ed25519: Ed25519Backend = {
  publicKey(seed) {
    const area = useScratch();
    expandSeed(area, seed);
    zero(area, area.key, EXPANDED_SECRET);
    return take(area, area.output, 32);
  },
  generateKeyPair(): KeyPair {
    const secretKey = randomBytes(SEED);
    return { publicKey: ed25519.publicKey(secretKey), secretKey };
  },
  sign(message, seed) {
    const area = useScratch();
    const length = message.length;
    return withData(area, length, (address) => {
      put(area, address, message);
      expandSeed(area, seed);
      area.library._crypto_sign_detached(area.output, 0, address, length, 0, area.key);
      zero(area, area.key, EXPANDED_SECRET);
      return take(area, area.output, 64);
    });
  },
  verify(signature, message, publicKey) {
    const area = useScratch();
    return withData(area, message.length, (address) => {
      put(area, address, message);
      put(area, area.output, signature);
      put(area, area.key, publicKey);
      const { library, output, key } = area;
      return library._crypto_sign_verify_detached(output, address, message.length, 0, key) === 0;
    });
  },
};

/** Leaves libsodium's 64-byte secret key at `key` and the public key at `output`. */
function expandSeed(area: Scratch, seed: Uint8Array): void {
  put(area, area.nonce, seed);
  area.library._crypto_sign_seed_keypair(area.output, area.key, area.nonce);
  zero(area, area.nonce, SEED);
}

/** The X25519 form of an Ed25519 public key; undefined when it is not of the prime-order group. */
export function publicKeyToX25519(publicKey: Uint8Array): Uint8Array | undefined {
  const area = useScratch();
  put(area, area.key, publicKey);
  const result = area.library._crypto_sign_ed25519_pk_to_curve25519(area.output, area.key);
  return result === 0 ? take(area, area.output, 32) : undefined;
}

/** X25519 (RFC 7748 §5). */
export const x25519: X25519Backend = {
  generateKeyPair(): KeyPair {
    const secretKey = randomBytes(32);
    return { publicKey: x25519.publicKey(secretKey), secretKey };
  },
  publicKey(secretKey) {
    const area = useScratch();
    put(area, area.key, secretKey);
    area.library._crypto_scalarmult_base(area.output, area.key);
    zero(area, area.key, 32);
    return take(area, area.output, 32);
  },
  sharedSecret(secretKey, publicKey) {
    const area = useScratch();
    put(area, area.key, secretKey);
    put(area, area.nonce, publicKey);
    // libsodium answers -1 for an all-zero result (RFC 7748 §6.1).
    const result = area.library._crypto_scalarmult(area.output, area.key, area.nonce);
    zero(area, area.key, 32);
    const shared = takeOutput(area, 32);
    return result === 0 ? shared : undefined;
  },
};
