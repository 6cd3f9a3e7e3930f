import { type BackendOpener, type CipherBackend, type CipherKey, TAG_LENGTH } from '../backend.ts';
import type { SodiumLibrary } from './library.ts';
import {
  put,
  putParts,
  type Scratch,
  take,
  takeOutput,
  takePooled,
  useScratch,
  withData,
  zero,
} from './scratch.ts';
import { createStreamOpener } from './stream-opener.ts';

const KEY_LENGTH = 32;

/** ChaCha20-Poly1305 (RFC 8439 §2.8). */
export const chacha20poly1305: CipherBackend = createCipher({
  encrypt: '_crypto_aead_chacha20poly1305_ietf_encrypt_detached',
  decrypt: '_crypto_aead_chacha20poly1305_ietf_decrypt_detached',
  createOpener: (key, nonce, ad) => createStreamOpener(key.bytes, nonce, ad),
});

/** XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03 §2). */
export const xchacha20poly1305: CipherBackend = createCipher({
  encrypt: '_crypto_aead_xchacha20poly1305_ietf_encrypt_detached',
  decrypt: '_crypto_aead_xchacha20poly1305_ietf_decrypt_detached',
  createOpener: (key, nonce, ad) => {
    const subkey = hchacha20(key.bytes, nonce.subarray(0, 16));
    const opener = createStreamOpener(subkey, xchachaNonce(nonce), ad);
    subkey.fill(0);
    return opener;
  },
});

/** HChaCha20 (draft-irtf-cfrg-xchacha-03 §2.2): the subkey for the first 16 bytes of the nonce. */
export function hchacha20(key: Uint8Array, input: Uint8Array): Uint8Array {
  const area = useScratch();
  put(area, area.key, key);
  put(area, area.nonce, input);
  area.library._crypto_core_hchacha20(area.output, area.nonce, area.key, 0);
  zero(area, area.key, KEY_LENGTH);
  return takeOutput(area, KEY_LENGTH);
}

/** The nonce under the subkey: four zeros, then the last 8 bytes (draft-irtf-cfrg-xchacha-03 §2.3). */
export function xchachaNonce(nonce: Uint8Array): Uint8Array {
  const inner = new Uint8Array(12);
  inner.set(nonce.subarray(16), 4);
  return inner;
}

interface CipherFunctions {
  encrypt: keyof SodiumLibrary & `${string}_encrypt_detached`;
  decrypt: keyof SodiumLibrary & `${string}_decrypt_detached`;
  createOpener(key: CipherKey, nonce: Uint8Array, ad: Uint8Array): BackendOpener;
}

function createCipher({ encrypt, decrypt, createOpener }: CipherFunctions): CipherBackend {
  /** Encrypts in place at `address`; the tag follows the ciphertext. */
  function sealInPlace(
    area: Scratch,
    address: number,
    length: number,
    inputs: { key: CipherKey; nonce: Uint8Array; ad: Uint8Array },
  ): void {
    const { library, key, nonce } = area;
    const adAddress = address + length + TAG_LENGTH;
    put(area, key, inputs.key.bytes);
    put(area, nonce, inputs.nonce);
    put(area, adAddress, inputs.ad);
    const tag = address + length;
    library[encrypt](address, tag, 0, address, length, 0, adAddress, inputs.ad.length, 0, 0, nonce, key);
    zero(area, key, KEY_LENGTH);
  }

  /** Copies ciphertext and tag to `address` and decrypts there; answers whether the tag matches. */
  function openInPlace(
    area: Scratch,
    address: number,
    inputs: { key: CipherKey; nonce: Uint8Array; sealed: Uint8Array; ad: Uint8Array },
  ): boolean {
    const { library, key, nonce } = area;
    const length = inputs.sealed.length - TAG_LENGTH;
    const tag = address + length;
    const adAddress = tag + TAG_LENGTH;
    put(area, address, inputs.sealed);
    put(area, adAddress, inputs.ad);
    put(area, key, inputs.key.bytes);
    put(area, nonce, inputs.nonce);
    const adLength = inputs.ad.length;
    const result = library[decrypt](address, 0, address, length, 0, tag, adAddress, adLength, 0, nonce, key);
    zero(area, key, KEY_LENGTH);
    return result === 0;
  }

  return {
    seal(key, nonce, plaintext, ad) {
      const area = useScratch();
      const length = plaintext.length;
      return withData(area, length + TAG_LENGTH + ad.length, (address) => {
        put(area, address, plaintext);
        sealInPlace(area, address, length, { key, nonce, ad });
        return take(area, address, length + TAG_LENGTH);
      });
    },
    sealInto(target, inputs) {
      const area = useScratch();
      const { plaintext, ad } = inputs;
      const length = plaintext.length;
      withData(area, length + TAG_LENGTH + ad.length, (address) => {
        put(area, address, plaintext);
        sealInPlace(area, address, length, inputs);
        target.set(area.library.HEAPU8.subarray(address, address + length + TAG_LENGTH));
      });
    },
    sealParts(key, nonce, { parts, length, headroom }, ad) {
      const area = useScratch();
      return withData(area, headroom + length + TAG_LENGTH + ad.length, (address) => {
        const message = address + headroom;
        zero(area, address, headroom);
        putParts(area, message, parts);
        sealInPlace(area, message, length, { key, nonce, ad });
        return [takePooled(area, address, headroom + length + TAG_LENGTH)];
      });
    },
    open(key, nonce, sealed, ad) {
      const area = useScratch();
      return withData(area, sealed.length + ad.length, (address) =>
        openInPlace(area, address, { key, nonce, sealed, ad })
          ? take(area, address, sealed.length - TAG_LENGTH)
          : undefined,
      );
    },
    openInto(target, { key, nonce, ciphertext, ad }) {
      const area = useScratch();
      return withData(area, ciphertext.length + ad.length, (address) => {
        if (!openInPlace(area, address, { key, nonce, sealed: ciphertext, ad })) return false;
        target.set(area.library.HEAPU8.subarray(address, address + target.length));
        return true;
      });
    },
    createOpener,
  };
}
