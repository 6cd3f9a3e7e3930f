import type { CipherBackend, CipherKey } from '../backend.ts';
import { chacha20poly1305 } from './aead.ts';
import { nodeCrypto } from './node-crypto.ts';

// "expand 32-byte k" (RFC 8439 §2.3), the first four words of the state.
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;

/** A function that derives the subkey of XChaCha20 from the key and 16 bytes. */
export type HChaCha20 = (key: Uint8Array, input: Uint8Array) => Uint8Array;

/**
 * HChaCha20 (draft-irtf-cfrg-xchacha-03 §2.2) from a block of ChaCha20: the block is the permuted state plus the
 * initial one, so that subtracting the words that are known leaves the subkey.
 */
export function hchacha20(key: Uint8Array, input: Uint8Array): Uint8Array {
  // OpenSSL's IV is the counter and the nonce, that is all 16 bytes of the input.
  const block = nodeCrypto().createCipheriv('chacha20', key, input).update(new Uint8Array(64));
  const from = new DataView(block.buffer, block.byteOffset);
  const known = new DataView(input.buffer, input.byteOffset);
  const subkey = new Uint8Array(32);
  const to = new DataView(subkey.buffer);
  for (let word = 0; word < 4; word++) {
    to.setUint32(4 * word, from.getUint32(4 * word, true) - CONSTANTS[word]!, true);
    const row = from.getUint32(48 + 4 * word, true) - known.getUint32(4 * word, true);
    to.setUint32(16 + 4 * word, row, true);
  }
  block.fill(0);
  return subkey;
}

/** XChaCha20-Poly1305 on node:crypto's ChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03 §2.3). */
export function createXChaCha(derive: HChaCha20): CipherBackend {
  function withSubkey<T>(
    key: CipherKey,
    nonce: Uint8Array,
    action: (subkey: CipherKey, inner: Uint8Array) => T,
  ): T {
    const subkey: CipherKey = { bytes: derive(key.bytes, nonce.subarray(0, 16)) };
    const inner = new Uint8Array(12);
    inner.set(nonce.subarray(16), 4);
    try {
      return action(subkey, inner);
    } finally {
      subkey.bytes.fill(0);
    }
  }
  const inner = chacha20poly1305;
  return {
    seal: (key, nonce, plaintext, ad) =>
      withSubkey(key, nonce, (subkey, iv) => inner.seal(subkey, iv, plaintext, ad)),
    sealParts: (key, nonce, parts, ad) =>
      withSubkey(key, nonce, (subkey, iv) => inner.sealParts(subkey, iv, parts, ad)),
    open: (key, nonce, sealed, ad) =>
      withSubkey(key, nonce, (subkey, iv) => inner.open(subkey, iv, sealed, ad)),
    createOpener: (key, nonce, ad) =>
      withSubkey(key, nonce, (subkey, iv) => inner.createOpener(subkey, iv, ad)),
  };
}
