/** A hash function that HMAC, HKDF and incremental hashing can use. */
export type HashName = 'sha256' | 'sha512' | 'blake2b';

/** Which implementation answers: the faster one by operation and size, or one forced (for tests). */
export type BackendName = 'auto' | 'sodium' | 'node';

/** A key pair as raw bytes; both arrays are fresh memory that the caller owns. */
export interface KeyPair {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 32 bytes; for Ed25519 the seed (RFC 8032 §5.1.5). */
  readonly secretKey: Uint8Array;
}

/** A hash that takes its input in pieces. */
export interface IncrementalHash {
  /** Adds bytes; they are consumed before it returns. */
  update(data: Uint8Array): this;
  /** Ends the computation; every later call throws TypeError. */
  digest(): Uint8Array;
}

/** Ed25519 (RFC 8032) with strict, cofactorless verification (spec/crypto.md §3). */
export interface Ed25519 {
  /** A fresh key pair. */
  generateKeyPair(): KeyPair;
  /** The key pair of a 32-byte seed; the seed is copied. */
  keyPairFromSeed(seed: Uint8Array): KeyPair;
  /** The 64-byte signature of the message under a 32-byte seed. */
  sign(message: Uint8Array, secretKey: Uint8Array): Uint8Array;
  /** Whether the signature is valid; false also for wrong lengths and for keys that no honest signer has. */
  verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
}

/** X25519 (RFC 7748 §5). */
export interface X25519 {
  /** A fresh key pair. */
  generateKeyPair(): KeyPair;
  /** The 32-byte public key of a 32-byte secret key. */
  publicKey(secretKey: Uint8Array): Uint8Array;
  /**
   * The 32-byte shared secret.
   * @throws {@link CryptoError} `INVALID_KEY` when it is all zero (RFC 7748 §6.1)
   */
  sharedSecret(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array;
}

/** Decrypts one ciphertext piece by piece; the plaintext must not be believed before `final` returned. */
export interface Opener extends Disposable {
  /** Decrypts the next bytes; fresh memory of the same length. */
  update(chunk: Uint8Array): Uint8Array;
  /**
   * Checks the 16-byte tag over everything given to `update`.
   * @throws {@link CryptoError} `AUTHENTICATION_FAILED`: forget what `update` returned
   */
  final(tag: Uint8Array): void;
  /** Gives the message up and zeroes the key's copy; not needed after `final`. */
  dispose(): void;
}

/** An AEAD key that was imported once; it holds a copy of the bytes until it is disposed of. */
export interface AeadKey extends Disposable {
  /** Encrypts; the result is the ciphertext followed by the tag. A nonce must never repeat under one key. */
  seal(nonce: Uint8Array, plaintext: Uint8Array, ad?: Uint8Array): Uint8Array;
  /**
   * Like `seal`, into memory of the caller: `target` has 16 bytes more than the plaintext and is none of the inputs.
   * Saves an allocation and a copy where many small messages are sealed.
   */
  sealInto(target: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, ad?: Uint8Array): void;
  /**
   * Decrypts what `seal` made.
   * @throws {@link CryptoError} `AUTHENTICATION_FAILED`
   */
  open(nonce: Uint8Array, ciphertext: Uint8Array, ad?: Uint8Array): Uint8Array;
  /**
   * Like `open`, into memory of the caller: `target` has 16 bytes fewer than the ciphertext and may be a part of it. It is
   * written to only when the ciphertext authenticates.
   * @throws {@link CryptoError} `AUTHENTICATION_FAILED`
   */
  openInto(target: Uint8Array, nonce: Uint8Array, ciphertext: Uint8Array, ad?: Uint8Array): void;
  /**
   * Encrypts the concatenation of the parts without copying large ones. The chunks together are `headroom` zero bytes
   * (all in the first chunk, for a header of the caller), the ciphertext and the tag; up to 16 KiB they are one chunk.
   * Chunks are memory that is never used again; small ones share a buffer, as those of Node's pool do: to be copied, not transferred.
   * Every argument may be reused when it returns.
   */
  sealParts(
    nonce: Uint8Array,
    parts: readonly Uint8Array[],
    ad?: Uint8Array,
    headroom?: number,
  ): Uint8Array[];
  /** Starts a decryption in pieces. */
  createOpener(nonce: Uint8Array, ad?: Uint8Array): Opener;
  /** Zeroes the copy of the key; every later call throws `DISPOSED`. */
  dispose(): void;
}

/** An authenticated cipher with associated data. */
export interface Aead {
  /** The name of the cipher. */
  readonly name: 'chacha20poly1305' | 'xchacha20poly1305' | 'aes256gcm';
  /** 32 bytes. */
  readonly keyLength: 32;
  /** 12 bytes, 24 for XChaCha20-Poly1305. */
  readonly nonceLength: 12 | 24;
  /** 16 bytes. */
  readonly tagLength: 16;
  /** Encrypts; the result is the ciphertext followed by the tag. A nonce must never repeat under one key. */
  seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, ad?: Uint8Array): Uint8Array;
  /**
   * Decrypts what `seal` made.
   * @throws {@link CryptoError} `AUTHENTICATION_FAILED`
   */
  open(key: Uint8Array, nonce: Uint8Array, ciphertext: Uint8Array, ad?: Uint8Array): Uint8Array;
  /** Imports a 32-byte key for repeated use; the bytes are copied. */
  importKey(key: Uint8Array): AeadKey;
}

/** Options of {@link Primitives.blake2b}. */
export interface Blake2bOptions {
  /** 16 to 64 bytes. @defaultValue 64 */
  readonly length?: number;
  /** Makes a keyed hash; 1 to 64 bytes. */
  readonly key?: Uint8Array;
}

/** Options of {@link Primitives.hkdf}. */
export interface HkdfOptions {
  /** @defaultValue empty */
  readonly salt?: Uint8Array;
  /** @defaultValue empty */
  readonly info?: Uint8Array;
  /** Up to 255 times the hash's length. */
  readonly length: number;
}

/** Parameters of scrypt (RFC 7914); store them beside what the derived key protects. */
export interface ScryptOptions {
  /** At least 8 bytes. */
  readonly salt: Uint8Array;
  /** Cost: a power of two above 1. */
  readonly N: number;
  /** Block size. */
  readonly r: number;
  /** Parallelisation. */
  readonly p: number;
  /** Bytes of the result: 16 to 1024. */
  readonly length: number;
  /** Rejects with `signal.reason`; a running computation of scrypt is not stopped, its result is dropped. */
  readonly signal?: AbortSignal;
}

/** Parameters of Argon2id version 1.3, one lane (RFC 9106); store them beside what the derived key protects. */
export interface Argon2idOptions {
  /** 16 bytes. */
  readonly salt: Uint8Array;
  /** At least 8. */
  readonly memoryKiB: number;
  /** Passes over the memory, at least 1. */
  readonly iterations: number;
  /** Bytes of the result: 16 to 1024. */
  readonly length: number;
  /** Rejects with `signal.reason` and stops the worker. */
  readonly signal?: AbortSignal;
}

/** Every operation of the package on one backend. */
export interface Primitives {
  /** The backend that was asked for. */
  readonly backend: BackendName;
  /** Loads libsodium, and @noble/ciphers where AES is not node:crypto's; idempotent. */
  ready(): Promise<void>;
  /** Fresh bytes of the system's generator. */
  randomBytes(length: number): Uint8Array;
  /** Whether both have the same bytes, in a time that depends on the lengths only. */
  equalBytes(a: Uint8Array, b: Uint8Array): boolean;
  /** Fills with zeros and forgets key objects made from these arrays. */
  wipe(...secrets: Uint8Array[]): void;
  /** SHA-256 (FIPS 180-4). */
  sha256(data: Uint8Array): Uint8Array;
  /** SHA-512 (FIPS 180-4). */
  sha512(data: Uint8Array): Uint8Array;
  /** BLAKE2b (RFC 7693), 16 to 64 bytes, optionally keyed. */
  blake2b(data: Uint8Array, options?: Blake2bOptions): Uint8Array;
  /** HMAC (RFC 2104) with a key of any length. */
  hmac(hash: HashName, key: Uint8Array, data: Uint8Array): Uint8Array;
  /** HKDF (RFC 5869): extract, then expand. */
  hkdf(hash: HashName, ikm: Uint8Array, options: HkdfOptions): Uint8Array;
  /** Starts an incremental hash. */
  createHash(hash: HashName): IncrementalHash;
  /** Signatures. */
  readonly ed25519: Ed25519;
  /** Key agreement. */
  readonly x25519: X25519;
  /**
   * The X25519 public key of an Ed25519 public key.
   * @throws {@link CryptoError} `INVALID_KEY` when it is not a point of the prime-order group
   */
  ed25519PublicKeyToX25519(publicKey: Uint8Array): Uint8Array;
  /** The X25519 secret key of an Ed25519 seed. */
  ed25519SecretKeyToX25519(secretKey: Uint8Array): Uint8Array;
  /** ChaCha20-Poly1305 (RFC 8439). */
  readonly chacha20poly1305: Aead;
  /** XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): random nonces are safe. */
  readonly xchacha20poly1305: Aead;
  /** AES-256-GCM (NIST SP 800-38D) with a 96-bit nonce. */
  readonly aes256gcm: Aead;
  /** scrypt (RFC 7914), off the main thread on Node. */
  scrypt(password: Uint8Array, options: ScryptOptions): Promise<Uint8Array>;
  /** Argon2id (RFC 9106), off the main thread on Node. */
  argon2id(password: Uint8Array, options: Argon2idOptions): Promise<Uint8Array>;
}
