import type { Backend, CipherName } from './backend.ts';
import { CryptoError } from './errors.ts';
import { nodeBackend } from './node/node-backend.ts';
import { hasNodeCrypto } from './node/node-crypto.ts';
import type { BackendName, HashName } from './primitives.ts';
import { isSodiumLoaded } from './sodium/library.ts';
import { sodiumBackend } from './sodium/sodium-backend.ts';

/** Up to how many bytes of input libsodium is the faster one; measured by `pnpm bench crypto` on Node 20 and 24. */
const SODIUM_UP_TO: Readonly<Record<CipherName | `hash-${HashName}` | `hmac-${HashName}`, number>> = {
  chacha20poly1305: 1024,
  xchacha20poly1305: 1536,
  // @noble/ciphers is never the faster one.
  aes256gcm: -1,
  'hash-sha256': 64,
  'hash-sha512': 256,
  'hash-blake2b': 1024,
  'hmac-sha256': 128,
  'hmac-sha512': 512,
  'hmac-blake2b': 1024,
};

/** The operations whose backend depends on the size of the input. */
export type SizedOperation = keyof typeof SODIUM_UP_TO;

/** Chooses the backend for an operation and its number of input bytes. */
export type Choose = (operation: SizedOperation, length: number) => Backend;

/** The choices of one kind of primitives. */
export interface Selection {
  /** By operation and input size. */
  readonly sized: Choose;
  /** For keys and signatures, and for input whose size is not known beforehand. */
  fixed(): Backend;
}

/** The selection that a backend's name stands for. */
export function selectBackends(name: BackendName): Selection {
  if (name === 'sodium' || (name === 'auto' && !hasNodeCrypto())) return only(sodiumBackend);
  if (!hasNodeCrypto()) throw new CryptoError('UNSUPPORTED', 'this runtime has no node:crypto');
  if (name === 'node') return only(nodeBackend);
  return {
    sized: (operation, length) =>
      length <= SODIUM_UP_TO[operation] && isSodiumLoaded() ? sodiumBackend : nodeBackend,
    fixed: () => nodeBackend,
  };
}

function only(backend: Backend): Selection {
  return { sized: () => backend, fixed: () => backend };
}
