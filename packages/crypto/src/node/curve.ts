import type { Ed25519Backend, X25519Backend } from '../backend.ts';
import { generateKeyPair, importPrivateKey, importPublicKey, publicKeyOf } from './key-objects.ts';
import { createKeyPairPool } from './key-pair-pool.ts';
import { nodeCrypto, plain } from './node-crypto.ts';

/** Ed25519 (RFC 8032). */
export const ed25519: Ed25519Backend = {
  publicKey: (seed) => publicKeyOf(importPrivateKey('Ed25519', seed)),
  generateKeyPair: () => generateKeyPair('Ed25519'),
  sign: (message, seed) => plain(nodeCrypto().sign(null, message, importPrivateKey('Ed25519', seed))),
  verify: (signature, message, publicKey) =>
    nodeCrypto().verify(null, message, importPublicKey('Ed25519', publicKey), signature),
};

const ephemeral = createKeyPairPool(() => generateKeyPair('X25519'));

/** X25519 (RFC 7748 §5). */
export const x25519: X25519Backend = {
  publicKey: (secretKey) => publicKeyOf(importPrivateKey('X25519', secretKey)),
  generateKeyPair: () => ephemeral.take(),
  sharedSecret(secretKey, publicKey) {
    const keys = {
      privateKey: importPrivateKey('X25519', secretKey),
      publicKey: importPublicKey('X25519', publicKey),
    };
    try {
      return plain(nodeCrypto().diffieHellman(keys));
    } catch {
      // OpenSSL refuses an all-zero result (RFC 7748 §6.1); both keys were imported, so nothing else is left.
      return undefined;
    }
  },
};
