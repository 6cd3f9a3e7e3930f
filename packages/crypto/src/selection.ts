import type { Backend, CipherName } from './backend.ts';
import { CryptoError } from './errors.ts';
import * as nativeCurve from './native/curve.ts';
import { hasNativeSodium } from './native/library.ts';
import { isReturningKey } from './node/key-objects.ts';
import { nodeBackend } from './node/node-backend.ts';
import { hasNodeCrypto } from './node/node-crypto.ts';
import { createXChaCha } from './node/xchacha.ts';
import type { BackendName, HashName } from './primitives.ts';
import { hchacha20 } from './sodium/aead.ts';
import { isSodiumLoaded } from './sodium/library.ts';
import { sodiumBackend } from './sodium/sodium-backend.ts';

/** Up to how many bytes of input libsodium is the faster one; measured by `pnpm bench crypto` on Node 20 and 24. */
const SODIUM_UP_TO: Readonly<Record<SizedOperation, number>> = {
  chacha20poly1305: 1536,
  xchacha20poly1305: 4096,
  // @noble/ciphers is never the faster one.
  aes256gcm: -1,
  'hash-sha256': 128,
  'hash-sha512': 256,
  'hash-blake2b': 4096,
  'hmac-sha256': 256,
  'hmac-sha512': 512,
  'hmac-blake2b': 4096,
};

/** The operations whose backend depends on the size of the input. */
export type SizedOperation = CipherName | `hash-${HashName}` | `hmac-${HashName}`;

/** The backend for a number of input bytes. */
export type ChooseBySize = (length: number) => Backend;

/** The choices of one kind of primitives. */
export interface Selection {
  /** For operations on bytes. */
  sized(operation: SizedOperation): ChooseBySize;
  /** For signatures, key agreement and input whose size is not known beforehand. */
  fixed(): Backend;
  /** For the public key of a secret key: importing it into node:crypto costs more than computing it here. */
  derivation(): Backend;
}

/** Whether a backend's name stands for one that has node:crypto here, or for `node`, which needs it. */
export function usesNodeCrypto(name: BackendName): boolean {
  return name === 'node' || (name === 'auto' && hasNodeCrypto());
}

/** The selection that a backend's name stands for. */
export function selectBackends(name: BackendName): Selection {
  if (!usesNodeCrypto(name)) return only(sodiumBackend);
  if (!hasNodeCrypto()) throw new CryptoError('UNSUPPORTED', 'this runtime has no node:crypto');
  if (name === 'node') return only(nodeBackend);
  return {
    sized(operation) {
      const limit = SODIUM_UP_TO[operation];
      return (length) => {
        if (!isSodiumLoaded()) return nodeBackend;
        return length <= limit ? sodiumBackend : combinedBackend;
      };
    },
    fixed: () => withNativeCurves(isSodiumLoaded() ? combinedBackend : nodeBackend),
    derivation: () => withNativeCurves(isSodiumLoaded() ? sodiumBackend : nodeBackend),
  };
}

const nativeBackends = new Map<Backend, Backend>();

/** The same with the curves of sodium-native, where it is used. */
function withNativeCurves(backend: Backend): Backend {
  if (!hasNativeSodium()) return backend;
  const known = nativeBackends.get(backend);
  if (known !== undefined) return known;
  const combined: Backend = {
    ...backend,
    ed25519: {
      ...backend.ed25519,
      publicKey: nativeCurve.ed25519.publicKey,
      verify(signature, message, publicKey) {
        const { ed25519 } = message.length > LONG_MESSAGE ? backend : nativeCurve;
        return ed25519.verify(signature, message, publicKey);
      },
    },
    x25519: nativeCurve.x25519,
  };
  nativeBackends.set(backend, combined);
  return combined;
}

// Beyond it OpenSSL's SHA-512 makes up for the import.
const LONG_MESSAGE = 4_096;

/**
 * node:crypto, with libsodium for the one step of XChaCha20 that node:crypto does not have, and for signatures under a key that is met for the
 * first time: verifying takes as long, and there is no key to import (24 of 150 µs).
 */
const combinedBackend: Backend = {
  ...nodeBackend,
  ed25519: {
    ...nodeBackend.ed25519,
    verify(signature, message, publicKey) {
      const backend =
        message.length > LONG_MESSAGE || isReturningKey('Ed25519', publicKey) ? nodeBackend : sodiumBackend;
      return backend.ed25519.verify(signature, message, publicKey);
    },
  },
  ciphers: { ...nodeBackend.ciphers, xchacha20poly1305: createXChaCha(hchacha20) },
};

function only(backend: Backend): Selection {
  return { sized: () => () => backend, fixed: () => backend, derivation: () => backend };
}
