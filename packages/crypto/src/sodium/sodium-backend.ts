import type { Backend } from '../backend.ts';
import { chacha20poly1305, xchacha20poly1305 } from './aead.ts';
import { aes256gcm } from './aes-gcm.ts';
import { ed25519, x25519 } from './curve.ts';
import { blake2b, createHash, hash, hmac } from './hash.ts';
import { hkdfBlake2b } from './hmac-blake2b.ts';

/** Everything on libsodium's WebAssembly build. */
export const sodiumBackend: Backend = {
  hash,
  blake2b,
  hmac,
  hkdfBlake2b,
  createHash,
  ed25519,
  x25519,
  ciphers: { chacha20poly1305, xchacha20poly1305, aes256gcm },
};
