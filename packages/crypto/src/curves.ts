import { assertBytes, assertData, copyBytes } from './bytes.ts';
import { isStrictPoint, isStrictSignature } from './ed25519-encoding.ts';
import { CryptoError } from './errors.ts';
import type { Ed25519, X25519 } from './primitives.ts';
import type { Selection } from './selection.ts';

/** Ed25519 with one rule on every backend (spec/crypto.md §3). */
export function createEd25519(selection: Selection): Ed25519 {
  return {
    generateKeyPair: () => selection.derivation().ed25519.generateKeyPair(),
    keyPairFromSeed(seed) {
      assertBytes('seed', seed, 32);
      const secretKey = copyBytes(seed);
      return { publicKey: selection.derivation().ed25519.publicKey(secretKey), secretKey };
    },
    sign(message, secretKey) {
      assertData('message', message);
      assertBytes('secretKey', secretKey, 32);
      return selection.fixed().ed25519.sign(message, secretKey);
    },
    verify(signature, message, publicKey) {
      assertBytes('signature', signature);
      assertData('message', message);
      assertBytes('publicKey', publicKey);
      if (signature.length !== 64 || publicKey.length !== 32) return false;
      if (!isStrictPoint(publicKey) || !isStrictSignature(signature)) return false;
      return selection.fixed().ed25519.verify(signature, message, publicKey);
    },
  };
}

/** X25519 (RFC 7748 §5). */
export function createX25519(selection: Selection): X25519 {
  return {
    generateKeyPair: () => selection.fixed().x25519.generateKeyPair(),
    publicKey(secretKey) {
      assertBytes('secretKey', secretKey, 32);
      return selection.derivation().x25519.publicKey(secretKey);
    },
    sharedSecret(secretKey, publicKey) {
      assertBytes('secretKey', secretKey, 32);
      assertBytes('publicKey', publicKey, 32);
      const shared = selection.fixed().x25519.sharedSecret(secretKey, publicKey);
      if (shared === undefined)
        throw new CryptoError('INVALID_KEY', 'the X25519 public key is of small order');
      return shared;
    },
  };
}
