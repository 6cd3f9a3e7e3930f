import { createPrimitives } from './create-primitives.ts';
import type { Primitives } from './primitives.ts';

/** Every operation on the faster backend of this runtime: what the functions of this package use. */
export const primitives: Primitives = createPrimitives('auto');

/** Loads libsodium and, without node:crypto, AES; idempotent. In a browser call it first; on Node only operations that node:crypto lacks need it. */
export const ready: Primitives['ready'] = primitives.ready;
/** SHA-256 (FIPS 180-4). */
export const sha256: Primitives['sha256'] = primitives.sha256;
/** SHA-512 (FIPS 180-4). */
export const sha512: Primitives['sha512'] = primitives.sha512;
/** BLAKE2b (RFC 7693), 16 to 64 bytes, optionally keyed. */
export const blake2b: Primitives['blake2b'] = primitives.blake2b;
/** HMAC (RFC 2104) with a key of any length. */
export const hmac: Primitives['hmac'] = primitives.hmac;
/** HKDF (RFC 5869): extract, then expand. */
export const hkdf: Primitives['hkdf'] = primitives.hkdf;
/** Starts an incremental hash. */
export const createHash: Primitives['createHash'] = primitives.createHash;
/** Ed25519 (RFC 8032) with strict, cofactorless verification. */
export const ed25519: Primitives['ed25519'] = primitives.ed25519;
/** X25519 (RFC 7748 §5). */
export const x25519: Primitives['x25519'] = primitives.x25519;
/**
 * The X25519 public key of an Ed25519 public key; needs `ready()`.
 * @throws CryptoError `INVALID_KEY` when it is not a point of the prime-order group
 */
export const ed25519PublicKeyToX25519: Primitives['ed25519PublicKeyToX25519'] =
  primitives.ed25519PublicKeyToX25519;
/** The X25519 secret key of an Ed25519 seed. */
export const ed25519SecretKeyToX25519: Primitives['ed25519SecretKeyToX25519'] =
  primitives.ed25519SecretKeyToX25519;
/** ChaCha20-Poly1305 (RFC 8439). */
export const chacha20poly1305: Primitives['chacha20poly1305'] = primitives.chacha20poly1305;
/** XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): random nonces are safe. */
export const xchacha20poly1305: Primitives['xchacha20poly1305'] = primitives.xchacha20poly1305;
/** AES-256-GCM (NIST SP 800-38D) with a 96-bit nonce. */
export const aes256gcm: Primitives['aes256gcm'] = primitives.aes256gcm;
/** scrypt (RFC 7914), off the main thread on Node. */
export const scrypt: Primitives['scrypt'] = primitives.scrypt;
/** Argon2id (RFC 9106), off the main thread on Node. */
export const argon2id: Primitives['argon2id'] = primitives.argon2id;
/** Fills with zeros and forgets key objects made from these arrays. */
export const wipe: Primitives['wipe'] = primitives.wipe;
