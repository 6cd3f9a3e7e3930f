import type { HashName, IncrementalHash, KeyPair, Opener } from './primitives.ts';

/** The ciphers, as the backends know them. */
export type CipherName = 'chacha20poly1305' | 'xchacha20poly1305' | 'aes256gcm';

/**
 * The bytes of an AEAD key and, where a backend wants one, its imported form.
 * `native` belongs to the node backend and is a KeyObject there.
 */
export interface CipherKey {
  readonly bytes: Uint8Array;
  native?: unknown;
}

/** AEAD operations; lengths were checked before. */
export interface CipherBackend {
  /** Ciphertext and tag in one fresh array. */
  seal(key: CipherKey, nonce: Uint8Array, plaintext: Uint8Array, ad: Uint8Array): Uint8Array;
  /** The same in memory of the caller, of exactly this length; a backend without it cannot save the copy. */
  sealInto?(
    target: Uint8Array,
    inputs: { key: CipherKey; nonce: Uint8Array; plaintext: Uint8Array; ad: Uint8Array },
  ): void;
  /** The plaintext into memory of the caller, of exactly its length; answers whether the tag matches. */
  openInto?(
    target: Uint8Array,
    inputs: { key: CipherKey; nonce: Uint8Array; ciphertext: Uint8Array; ad: Uint8Array },
  ): boolean;
  /** Together: `headroom` zeros, the ciphertext, the tag; one chunk up to {@link ONE_CHUNK_LIMIT}. */
  sealParts(key: CipherKey, nonce: Uint8Array, parts: Parts, ad: Uint8Array): Uint8Array[];
  /** The plaintext, or undefined when the tag does not match. */
  open(key: CipherKey, nonce: Uint8Array, sealed: Uint8Array, ad: Uint8Array): Uint8Array | undefined;
  /** `final` answers whether the tag matches. */
  createOpener(key: CipherKey, nonce: Uint8Array, ad: Uint8Array): BackendOpener;
}

/** A message in parts; the result begins with `headroom` bytes for the caller. */
export interface Parts {
  readonly parts: readonly Uint8Array[];
  readonly length: number;
  readonly headroom: number;
}

/** {@link Opener}, with an answer in place of an exception. */
export interface BackendOpener extends Pick<Opener, 'update'> {
  final(tag: Uint8Array): boolean;
  /** Zeroes what `final` would have zeroed. */
  dispose(): void;
}

/** Ed25519 operations on checked input; strictness of encodings is decided before they are called. */
export interface Ed25519Backend {
  publicKey(seed: Uint8Array): Uint8Array;
  generateKeyPair(): KeyPair;
  sign(message: Uint8Array, seed: Uint8Array): Uint8Array;
  verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
}

/** X25519 operations on checked input. */
export interface X25519Backend {
  generateKeyPair(): KeyPair;
  publicKey(secretKey: Uint8Array): Uint8Array;
  /** Undefined when the result is all zero. */
  sharedSecret(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined;
}

/** One implementation of everything; input was checked by the caller. */
export interface Backend {
  hash(hash: HashName, data: Uint8Array): Uint8Array;
  blake2b(data: Uint8Array, length: number, key: Uint8Array | undefined): Uint8Array;
  hmac(hash: HashName, key: Uint8Array, data: Uint8Array): Uint8Array;
  /** HKDF with HMAC-BLAKE2b in one piece; without it, it is made of `hmac`. */
  hkdfBlake2b?(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array;
  createHash(hash: HashName): IncrementalHash;
  readonly ed25519: Ed25519Backend;
  readonly x25519: X25519Backend;
  readonly ciphers: Readonly<Record<CipherName, CipherBackend>>;
}

/** Bytes of a digest. */
export const HASH_LENGTH: Readonly<Record<HashName, number>> = { sha256: 32, sha512: 64, blake2b: 64 };
/** Bytes of a hash function's block (RFC 2104 calls it B). */
export const BLOCK_LENGTH: Readonly<Record<HashName, number>> = { sha256: 64, sha512: 128, blake2b: 128 };
/** Up to here a copy costs less than one more chunk in a socket's write. */
export const ONE_CHUNK_LIMIT = 16_384;
/** Bytes of every tag here. */
export const TAG_LENGTH = 16;
