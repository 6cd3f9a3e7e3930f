/** What a keystore protects: the seed, the words' entropy and the profiles (spec/identity.md §7.3). */
import { SecretBytes, wipe } from '@nzcore/crypto';
import { decodeCanonical, encodeCanonical } from '@nzcore/crypto/msgpack';
import { MAX_SEED_LENGTH, MIN_SEED_LENGTH } from '../key-schedule.ts';
import { invalidKeystore, MAX_KEYSTORE_LENGTH } from './file-format.ts';

const VERSION = 1;
const MAX_INDEX = 0xffff_ffff;
const MAX_GENERATION = 0xffff;
const ENTROPY_LENGTHS = [16, 20, 24, 28, 32];

/** How many profiles one keystore holds; with the longest names they fit into the largest file. */
export const MAX_PROFILES = 256;

/** One profile as it is stored. */
export interface ProfileEntry {
  readonly index: number;
  readonly name: string;
  readonly generation: number;
  readonly createdAt: number;
}

/** The unsealed contents. */
export interface KeystoreContents {
  readonly seed: SecretBytes;
  /** Absent when the keystore was made from a bare seed. */
  readonly entropy: SecretBytes | undefined;
  /** The next profile's index; indexes are never used again. */
  readonly nextIndex: number;
  /** Index of the active profile. */
  readonly active: number;
  readonly profiles: readonly ProfileEntry[];
}

/** The canonical bytes of the contents; secret, so the caller wipes them. */
export function encodeContents({ seed, entropy, nextIndex, active, profiles }: KeystoreContents): Uint8Array {
  const entries = profiles.map(({ index, name, generation, createdAt }) => [
    index,
    name,
    generation,
    createdAt,
  ]);
  const withEntropy = (bytes: Uint8Array | null) =>
    seed.use((seedBytes) => encodeCanonical([VERSION, seedBytes, bytes, nextIndex, active, entries]));
  return entropy === undefined ? withEntropy(null) : entropy.use(withEntropy);
}

/**
 * Reads contents that were authenticated; the argument is wiped.
 *
 * @throws IdentityError `INVALID_KEYSTORE`
 */
export function decodeContents(bytes: Uint8Array): KeystoreContents {
  const fields = decodeFields(bytes);
  wipe(bytes);
  const [version, seed, entropy, nextIndex, active, entries] = fields;
  const profiles = Array.isArray(entries) ? entries.map(decodeProfile) : [];
  const valid =
    fields.length === 6 &&
    version === VERSION &&
    seed instanceof Uint8Array &&
    seed.length >= MIN_SEED_LENGTH &&
    seed.length <= MAX_SEED_LENGTH &&
    (entropy === null || (entropy instanceof Uint8Array && ENTROPY_LENGTHS.includes(entropy.length))) &&
    isUnsigned(nextIndex, MAX_INDEX) &&
    profiles.length <= MAX_PROFILES &&
    profiles.every(({ index }) => index < nextIndex) &&
    hasNoDuplicates(profiles) &&
    profiles.some(({ index }) => index === active);
  if (!valid) throw invalidKeystore('contents');
  return {
    seed: SecretBytes.from(seed),
    entropy: entropy === null ? undefined : SecretBytes.from(entropy),
    nextIndex,
    active: active as number,
    profiles,
  };
}

/** Forgets the secrets of contents. */
export function disposeContents({ seed, entropy }: KeystoreContents): void {
  seed.dispose();
  entropy?.dispose();
}

function decodeFields(bytes: Uint8Array): readonly unknown[] {
  try {
    const fields = decodeCanonical(bytes, { maxDepth: 4, maxBytes: MAX_KEYSTORE_LENGTH });
    return Array.isArray(fields) ? fields : [];
  } catch {
    throw invalidKeystore('contents');
  }
}

function decodeProfile(value: unknown): ProfileEntry {
  const [index, name, generation, createdAt] = Array.isArray(value) ? (value as unknown[]) : [];
  if (
    !isUnsigned(index, MAX_INDEX) ||
    !isProfileName(name) ||
    !isUnsigned(generation, MAX_GENERATION) ||
    !isUnsigned(createdAt, Number.MAX_SAFE_INTEGER)
  ) {
    throw invalidKeystore('profile');
  }
  return { index, name, generation, createdAt };
}

function hasNoDuplicates(profiles: readonly ProfileEntry[]): boolean {
  const names = new Set(profiles.map(({ name }) => name));
  const indexes = new Set(profiles.map(({ index }) => index));
  return names.size === profiles.length && indexes.size === profiles.length;
}

function isUnsigned(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max;
}

/** Whether a value can name a profile: 1 to 64 characters, none of them a control or an unpaired surrogate. */
export function isProfileName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 64 && /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+$/u.test(value);
}
