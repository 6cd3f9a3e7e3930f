import type { BackendOpener, CipherBackend } from '../backend.ts';
import { concatBytes, copyBytes } from '../bytes.ts';
import { CryptoError } from '../errors.ts';

type AesLibrary = typeof import('@noble/ciphers/aes.js');

const BLOCK = 16;

// As libsodium: three files and their tables, which a runtime with node:crypto never needs.
let loaded: AesLibrary | undefined;

/** Loads @noble/ciphers; idempotent. */
export async function loadAes(): Promise<void> {
  try {
    loaded ??= await import('@noble/ciphers/aes.js');
  } catch (cause) {
    throw new CryptoError('UNSUPPORTED', '@noble/ciphers could not be loaded', { cause });
  }
}

function aes(): AesLibrary {
  if (loaded === undefined) {
    throw new CryptoError(
      'NOT_READY',
      'AES without node:crypto needs @noble/ciphers: await ready() of the backend first',
    );
  }
  return loaded;
}

/**
 * AES-256-GCM without node:crypto (NIST SP 800-38D), by @noble/ciphers: libsodium's WebAssembly build has no AES.
 * Its table look-ups can leak to whoever times this machine's caches (spec/crypto.md §4.3).
 */
export const aes256gcm: CipherBackend = {
  seal: (key, nonce, plaintext, ad) => aes().gcm(key.bytes, nonce, ad).encrypt(plaintext),
  sealParts(key, nonce, { parts, headroom }, ad) {
    const sealed = aes()
      .gcm(key.bytes, nonce, ad)
      .encrypt(concatBytes(...parts));
    return [headroom === 0 ? sealed : concatBytes(new Uint8Array(headroom), sealed)];
  },
  open: (key, nonce, sealed, ad) => openWhole(key.bytes, nonce, sealed, ad),
  createOpener: (key, nonce, ad) => createOpener(key.bytes, nonce, ad),
};

function openWhole(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  ad: Uint8Array,
): Uint8Array | undefined {
  const { gcm } = aes();
  try {
    return gcm(key, nonce, ad).decrypt(sealed);
  } catch {
    // The lengths were checked before: what is left is the tag.
    return undefined;
  }
}

/** The pieces are decrypted by counter mode; the ciphertext is kept, because GHASH is only offered with the whole. */
function createOpener(keyBytes: Uint8Array, nonceBytes: Uint8Array, adBytes: Uint8Array): BackendOpener {
  const key = copyBytes(keyBytes);
  const nonce = copyBytes(nonceBytes);
  const ad = copyBytes(adBytes);
  // Doubled when it is full: a piece may be a single byte.
  let ciphertext = new Uint8Array(0);
  let length = 0;
  return {
    update(chunk) {
      const offset = length % BLOCK;
      const padded = new Uint8Array(offset + chunk.length);
      padded.set(chunk, offset);
      const plaintext = aes()
        .ctr(key, counterBlock(nonce, 2 + Math.floor(length / BLOCK)))
        .decrypt(padded);
      const needed = length + chunk.length;
      if (needed > ciphertext.length) {
        const larger = new Uint8Array(Math.max(needed, 2 * ciphertext.length));
        larger.set(ciphertext);
        ciphertext = larger;
      }
      ciphertext.set(chunk, length);
      length = needed;
      return plaintext.slice(offset);
    },
    final(tag) {
      const plaintext = openWhole(key, nonce, concatBytes(ciphertext.subarray(0, length), tag), ad);
      key.fill(0);
      plaintext?.fill(0);
      return plaintext !== undefined;
    },
    dispose: () => void key.fill(0),
  };
}

/** A 96-bit nonce and a 32-bit counter; 1 is the tag's mask, 2 the first block of data (SP 800-38D §7.1). */
function counterBlock(nonce: Uint8Array, counter: number): Uint8Array {
  const block = new Uint8Array(BLOCK);
  block.set(nonce);
  new DataView(block.buffer).setUint32(12, counter);
  return block;
}
