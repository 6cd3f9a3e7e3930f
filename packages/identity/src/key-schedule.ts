/**
 * The key schedule: every key of a peer from one seed, by HKDF-SHA512 with one label for each purpose
 * (RFC 5869; labels in spec/identity.md §2).
 */
import { hkdf } from '@nzcore/crypto';
import { copyBytes } from './bytes.ts';

const SALT = new TextEncoder().encode('NZ-IDENTITY-01');
const KEY_LENGTH = 32;
/** Length of a profile's own seed in bytes. */
export const PROFILE_SEED_LENGTH = 64;
/** The seed is at least a uniformly random key; BIP-39 gives 64 bytes. */
export const MIN_SEED_LENGTH = 32;
/** The longest seed that is accepted, in bytes. */
export const MAX_SEED_LENGTH = 64;

/** What a key is for; a label never serves two purposes. */
export type KeyPurpose = 'identity' | 'key-agreement' | 'storage' | 'storage-namespace' | 'recovery';

/**
 * The 32 bytes for one purpose. The caller owns and wipes them. A generation above 0 is a rotated key.
 */
export function deriveKey(seed: Uint8Array, purpose: KeyPurpose, generation = 0): Uint8Array {
  return derive(seed, generation === 0 ? purpose : `${purpose}/${generation}`, KEY_LENGTH);
}

/** The seed of a profile, 64 bytes; the caller owns and wipes it. Profile 0 is the seed itself. */
export function deriveProfileSeed(seed: Uint8Array, index: number): Uint8Array {
  if (!Number.isInteger(index) || index < 0 || index > 0xffff_ffff) {
    throw new RangeError('a profile index is an unsigned 32-bit integer');
  }
  return index === 0 ? copyBytes(seed) : derive(seed, `profile/${index}`, PROFILE_SEED_LENGTH);
}

function derive(seed: Uint8Array, label: string, length: number): Uint8Array {
  const info = new TextEncoder().encode(`NZ-IDENTITY-01/${label}`);
  return hkdf('sha512', seed, { salt: SALT, info, length });
}
