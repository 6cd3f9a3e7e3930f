export { equalBytes, randomBytes } from './bytes.ts';
export { createPrimitives } from './create-primitives.ts';
export {
  aes256gcm,
  argon2id,
  blake2b,
  chacha20poly1305,
  createHash,
  ed25519,
  ed25519PublicKeyToX25519,
  ed25519SecretKeyToX25519,
  hkdf,
  hmac,
  primitives,
  ready,
  scrypt,
  sha256,
  sha512,
  wipe,
  x25519,
  xchacha20poly1305,
} from './default-primitives.ts';
export { CryptoError, type CryptoErrorCode } from './errors.ts';
export { type NativeSodium, useNativeSodium } from './native/library.ts';
export type {
  Aead,
  AeadKey,
  Argon2idOptions,
  BackendName,
  Blake2bOptions,
  Ed25519,
  HashName,
  HkdfOptions,
  IncrementalHash,
  KeyPair,
  Opener,
  Primitives,
  ScryptOptions,
  X25519,
} from './primitives.ts';
export { releaseBuffer, releaseChunks } from './release-buffer.ts';
export { SecretBytes } from './secret-bytes.ts';
