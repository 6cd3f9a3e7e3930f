/** From a passphrase to the key that wraps the data key, with bounded parameters (spec/identity.md §7.2). */
import { argon2id, ready, scrypt, wipe } from '@nzcore/crypto';
import { copyBytes } from '../bytes.ts';

/** How a passphrase becomes a key; stored in the keystore file. */
export type PasswordHash =
  | {
      readonly algorithm: 'scrypt';
      /** log2 of the cost N. */
      readonly logN: number;
      /** Block size. */
      readonly r: number;
      /** Parallelisation. */
      readonly p: number;
    }
  | {
      readonly algorithm: 'argon2id';
      /** Memory in KiB. */
      readonly memoryKiB: number;
      /** Passes over the memory. */
      readonly iterations: number;
    };

/** scrypt with N = 2^17, r = 8, p = 1: 128 MiB and a third of a second on the machine it was chosen on. */
export const DEFAULT_PASSWORD_HASH: PasswordHash = { algorithm: 'scrypt', logN: 17, r: 8, p: 1 };

/** The shortest passphrase hash key, in bytes. */
const KEY_LENGTH = 32;
const MIB = 1024 * 1024;
// A hostile file may cost at most four times the default's memory and eight times its work; one that is weaker than
// the floor was not written by this package.
const MAX_MEMORY = 512 * MIB;
const MAX_SCRYPT_WORK = 2 ** 23;
const MAX_ARGON2_WORK_KIB = 4 * 1024 * 1024;

/** Whether parameters are within the bounds for reading and writing. */
export function passwordHashIsAcceptable(hash: PasswordHash): boolean {
  return hash.algorithm === 'scrypt' ? scryptIsAcceptable(hash) : argon2idIsAcceptable(hash);
}

function scryptIsAcceptable({ logN, r, p }: Extract<PasswordHash, { algorithm: 'scrypt' }>): boolean {
  if (!isIntegerWithin(logN, 14, 20) || !isIntegerWithin(r, 8, 32) || !isIntegerWithin(p, 1, 8)) return false;
  return 128 * 2 ** logN * r <= MAX_MEMORY && 2 ** logN * r * p <= MAX_SCRYPT_WORK;
}

function argon2idIsAcceptable({
  memoryKiB,
  iterations,
}: Extract<PasswordHash, { algorithm: 'argon2id' }>): boolean {
  if (!isIntegerWithin(memoryKiB, 8 * 1024, MAX_MEMORY / 1024) || !isIntegerWithin(iterations, 1, 64))
    return false;
  return memoryKiB * iterations <= MAX_ARGON2_WORK_KIB;
}

function isIntegerWithin(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

/** Inputs of {@link hashPassphrase}. */
export interface HashPassphraseInput {
  readonly passwordHash: PasswordHash;
  /** 16 random bytes. */
  readonly salt: Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

/** The 32-byte key of a passphrase, computed off the main thread; the caller wipes it. */
export async function hashPassphrase(
  passphrase: Uint8Array,
  input: HashPassphraseInput,
): Promise<Uint8Array> {
  const { passwordHash, salt, signal } = input;
  const common = { salt, length: KEY_LENGTH, ...(signal === undefined ? {} : { signal }) };
  if (passwordHash.algorithm === 'scrypt') {
    const { logN, r, p } = passwordHash;
    return scrypt(passphrase, { ...common, N: 2 ** logN, r, p });
  }
  await ready();
  const { memoryKiB, iterations } = passwordHash;
  return argon2id(passphrase, { ...common, memoryKiB, iterations });
}

/** A passphrase as text or as bytes. Only bytes can be wiped, which is their owner's task. */
export type Passphrase = string | Uint8Array;

/** UTF-8 of the Unicode form NFKC. */
export function encodePassphrase(text: string): Uint8Array {
  return new TextEncoder().encode(text.normalize('NFKC'));
}

/**
 * The bytes of a passphrase: text in Unicode form NFKC, so that two keyboards give one key; always fresh memory.
 *
 * @throws RangeError when it is empty
 */
function passphraseBytes(passphrase: Passphrase): Uint8Array {
  const bytes = typeof passphrase === 'string' ? encodePassphrase(passphrase) : copyBytes(passphrase);
  if (bytes.length === 0) throw new RangeError('a passphrase must not be empty');
  return bytes;
}

/**
 * Runs an action with a copy of the passphrase that is taken before this returns and wiped at the end: the caller may
 * wipe its own as soon as it has the promise, whatever the action has to wait for.
 */
export async function withPassphrase<T>(
  passphrase: Passphrase,
  action: (bytes: Uint8Array) => Promise<T>,
): Promise<T> {
  const bytes = passphraseBytes(passphrase);
  try {
    return await action(bytes);
  } finally {
    wipe(bytes);
  }
}
