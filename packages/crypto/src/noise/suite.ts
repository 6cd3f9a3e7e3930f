import type { Aead, Primitives } from '../primitives.ts';

/** Cipher functions of Noise §12.3 and §12.4. */
export type CipherName = 'ChaChaPoly' | 'AESGCM';
/** Hash functions of Noise §12.5 to §12.8. */
export type HashName = 'BLAKE2b' | 'SHA256' | 'SHA512' | 'BLAKE2s';

/** A hash function with what Noise builds on it (Noise §4.3). */
export interface HashFunction {
  /** HASHLEN in bytes. */
  readonly length: number;
  hash(data: Uint8Array): Uint8Array;
  /** HKDF of Noise §4.3: two or three outputs of `length` bytes, joined. */
  hkdf(chainingKey: Uint8Array, input: Uint8Array, outputs: 2 | 3): Uint8Array;
}

/** What a protocol name selects, bound to one backend of primitives. */
export interface CipherSuite {
  readonly primitives: Primitives;
  readonly cipherName: CipherName;
  readonly cipher: Aead;
  readonly hash: HashFunction;
}

const nativeHashes = {
  SHA256: { id: 'sha256', length: 32 },
  SHA512: { id: 'sha512', length: 64 },
  BLAKE2b: { id: 'blake2b', length: 64 },
} as const;

/** The hash functions that the primitives have themselves. */
export type NativeHashName = keyof typeof nativeHashes;

/** Says whether the primitives have this hash function themselves. */
export function isNativeHash(name: string): name is NativeHashName {
  return Object.hasOwn(nativeHashes, name);
}

/** Binds a hash function of the primitives. Noise's HKDF is RFC 5869's with empty info (Noise §4.3). */
export function nativeHash(name: NativeHashName, primitives: Primitives): HashFunction {
  const { id, length } = nativeHashes[name];
  return {
    length,
    hash: (data) => primitives[id](data),
    hkdf: (chainingKey, input, outputs) =>
      primitives.hkdf(id, input, { salt: chainingKey, length: outputs * length }),
  };
}

/** Binds a cipher function (Noise §12.3, §12.4) and a hash function. */
export function createSuite(cipherName: CipherName, hash: HashFunction, primitives: Primitives): CipherSuite {
  const cipher = cipherName === 'ChaChaPoly' ? primitives.chacha20poly1305 : primitives.aes256gcm;
  return { primitives, cipherName, cipher, hash };
}
