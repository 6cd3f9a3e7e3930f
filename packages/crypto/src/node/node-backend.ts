import type { Backend } from '../backend.ts';
import { aes256gcm, chacha20poly1305 } from './aead.ts';
import { ed25519, x25519 } from './curve.ts';
import { blake2b, createHash, hash, hmac } from './hash.ts';
import { createXChaCha, hchacha20 } from './xchacha.ts';

/** Everything that node:crypto has; keyed and short BLAKE2b are libsodium's. */
export const nodeBackend: Backend = {
  hash,
  blake2b,
  hmac,
  createHash,
  ed25519,
  x25519,
  ciphers: { chacha20poly1305, xchacha20poly1305: createXChaCha(hchacha20), aes256gcm },
};
