import {
  type BackendOpener,
  type CipherBackend,
  type CipherKey,
  ONE_CHUNK_LIMIT,
  type Parts,
  TAG_LENGTH,
} from '../backend.ts';
import type { KeyObject } from './key-objects.ts';
import { nodeCrypto, plain } from './node-crypto.ts';

type AeadName = 'chacha20-poly1305' | 'aes-256-gcm';
const OPTIONS = { authTagLength: TAG_LENGTH };

/** ChaCha20-Poly1305 (RFC 8439 §2.8). */
export const chacha20poly1305: CipherBackend = createCipher('chacha20-poly1305');
/** AES-256-GCM (NIST SP 800-38D). */
export const aes256gcm: CipherBackend = createCipher('aes-256-gcm');

function createCipher(name: AeadName): CipherBackend {
  function startSeal(key: CipherKey, nonce: Uint8Array, ad: Uint8Array) {
    // The two names have the same signatures, in overloads that a union does not match.
    const cipher = nodeCrypto().createCipheriv(name as 'aes-256-gcm', keyObject(key), nonce, OPTIONS);
    if (ad.length > 0) cipher.setAAD(ad);
    return cipher;
  }
  function startOpen(key: CipherKey, nonce: Uint8Array, ad: Uint8Array) {
    const decipher = nodeCrypto().createDecipheriv(name as 'aes-256-gcm', keyObject(key), nonce, OPTIONS);
    if (ad.length > 0) decipher.setAAD(ad);
    return decipher;
  }
  function createOpener(key: CipherKey, nonce: Uint8Array, ad: Uint8Array): BackendOpener {
    const decipher = startOpen(key, nonce, ad);
    return {
      update: (chunk) => plain(decipher.update(chunk)),
      final(tag) {
        decipher.setAuthTag(tag);
        return authenticates(decipher);
      },
      // OpenSSL clears the key when the object is collected.
      dispose: () => undefined,
    };
  }
  /** Writes headroom, ciphertext and tag into one array; small parts are joined, since each update has its price. */
  function sealJoined(key: CipherKey, nonce: Uint8Array, message: Parts, ad: Uint8Array): Uint8Array {
    const { parts, length, headroom } = message;
    const cipher = startSeal(key, nonce, ad);
    const sealed = allocate(headroom + length + TAG_LENGTH);
    if (headroom > 0) sealed.fill(0, 0, headroom);
    if (parts.length === 1) sealed.set(cipher.update(parts[0]!), headroom);
    else {
      sealed.set(cipher.update(stage(parts, length)), headroom);
      staging.fill(0, 0, length);
    }
    cipher.final();
    sealed.set(cipher.getAuthTag(), headroom + length);
    return sealed;
  }

  return {
    seal(key, nonce, plaintext, ad) {
      const cipher = startSeal(key, nonce, ad);
      const sealed = allocate(plaintext.length + TAG_LENGTH);
      sealed.set(cipher.update(plaintext));
      cipher.final();
      const sealTag = cipher.getAuthTag();
      for (let i = 0, at = plaintext.length; i < TAG_LENGTH; i++, at++) sealed[at] = sealTag[i]!;
      return sealed;
    },
    sealParts(key, nonce, message, ad) {
      if (message.length <= ONE_CHUNK_LIMIT) return [sealJoined(key, nonce, message, ad)];
      const cipher = startSeal(key, nonce, ad);
      const chunks: Uint8Array[] = message.headroom > 0 ? [new Uint8Array(message.headroom)] : [];
      for (const part of message.parts) chunks.push(plain(cipher.update(part)));
      cipher.final();
      chunks.push(plain(cipher.getAuthTag()));
      return chunks;
    },
    open(key, nonce, sealed, ad) {
      const end = sealed.length - TAG_LENGTH;
      const decipher = startOpen(key, nonce, ad);
      // Copied by setAuthTag; a view for each call would cost more than these bytes.
      for (let i = 0; i < TAG_LENGTH; i++) tag[i] = sealed[end + i]!;
      decipher.setAuthTag(tag);
      const plaintext = plain(decipher.update(sealed.subarray(0, end)));
      if (authenticates(decipher)) return plaintext;
      plaintext.fill(0);
      return undefined;
    },
    createOpener,
  };
}

const tag = new Uint8Array(TAG_LENGTH);

function authenticates(decipher: { final(): Uint8Array }): boolean {
  try {
    decipher.final();
    return true;
  } catch {
    // All input was checked and fed before: what is left is the tag.
    return false;
  }
}

// Where small parts are joined; zeroed after each use.
const staging = new Uint8Array(ONE_CHUNK_LIMIT);

function stage(parts: readonly Uint8Array[], length: number): Uint8Array {
  let at = 0;
  for (const part of parts) {
    staging.set(part, at);
    at += part.length;
  }
  return staging.subarray(0, length);
}

const nodeBuffer = globalThis.process?.getBuiltinModule?.('node:buffer');

/** Memory of its own that the caller fills: zeroing 64 KiB first would cost a tenth of sealing them. */
function allocate(length: number): Uint8Array {
  // Below 4 KiB a zeroed array is as fast.
  if (length < 4096 || nodeBuffer === undefined) return new Uint8Array(length);
  return plain(nodeBuffer['Buffer'].allocUnsafeSlow(length));
}

/** The key as a KeyObject: importing raw bytes costs 11 µs per cipher on Node 24. */
function keyObject(key: CipherKey): KeyObject {
  key.native ??= nodeCrypto().createSecretKey(key.bytes);
  return key.native as KeyObject;
}
