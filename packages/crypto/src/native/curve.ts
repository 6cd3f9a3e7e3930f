import type { Ed25519Backend, X25519Backend } from '../backend.ts';
import { randomBytes } from '../bytes.ts';
import { createKeyPairPool } from '../node/key-pair-pool.ts';
import { nativeSodium } from './library.ts';

/** Ed25519 (RFC 8032); signing is node:crypto's, which keeps its keys. */
export const ed25519: Pick<Ed25519Backend, 'publicKey' | 'verify'> = {
  publicKey(seed) {
    const publicKey = new Uint8Array(32);
    const expanded = new Uint8Array(64);
    nativeSodium().crypto_sign_seed_keypair(publicKey, expanded, seed);
    expanded.fill(0);
    return publicKey;
  },
  verify: (signature, message, publicKey) =>
    nativeSodium().crypto_sign_verify_detached(signature, message, publicKey),
};

const ephemeral = createKeyPairPool(() => {
  const secretKey = randomBytes(32);
  return { publicKey: x25519.publicKey(secretKey), secretKey };
});

/** X25519 (RFC 7748 §5). */
export const x25519: X25519Backend = {
  generateKeyPair: () => ephemeral.take(),
  publicKey(secretKey) {
    const publicKey = new Uint8Array(32);
    nativeSodium().crypto_scalarmult_base(publicKey, secretKey);
    return publicKey;
  },
  sharedSecret(secretKey, publicKey) {
    const shared = new Uint8Array(32);
    try {
      nativeSodium().crypto_scalarmult(shared, secretKey, publicKey);
    } catch {
      // libsodium answers -1 for an all-zero result (RFC 7748 §6.1), and for nothing else; lengths were checked before.
      return undefined;
    }
    return shared;
  },
};
