import { CryptoError } from '../errors.ts';
import type { Argon2idOptions, ScryptOptions } from '../primitives.ts';
import { put, type Scratch, take, useScratch, withData } from './scratch.ts';

// crypto_pwhash_ALG_ARGON2ID13
const ARGON2ID_13 = 2;

/** One computation of Argon2id. */
export interface Argon2idJob extends Omit<Argon2idOptions, 'signal'> {
  readonly kind: 'argon2id';
  readonly password: Uint8Array;
}

/** One computation of scrypt. */
export interface ScryptJob extends Omit<ScryptOptions, 'signal'> {
  readonly kind: 'scrypt';
  readonly password: Uint8Array;
}

/** One computation with its parameters. */
export type PasswordJob = Argon2idJob | ScryptJob;

/** Derives a key on this thread. @throws CryptoError `PASSWORD_HASH_FAILED` */
export function runPasswordJob(job: PasswordJob): Uint8Array {
  const { password, salt, length } = job;
  const area = useScratch();
  const derived = withData(area, length + password.length + salt.length, (out) => {
    const addresses = { out, password: out + length, salt: out + length + password.length };
    put(area, addresses.password, password);
    put(area, addresses.salt, salt);
    const status = job.kind === 'scrypt' ? scrypt(area, job, addresses) : argon2id(area, job, addresses);
    return status === 0 ? take(area, out, length) : undefined;
  });
  if (derived === undefined) throw passwordHashFailed(job.kind);
  return derived;
}

/** The parameters were in order: memory has run out, or a worker died. */
export function passwordHashFailed(kind: PasswordJob['kind'], cause?: unknown): CryptoError {
  return new CryptoError('PASSWORD_HASH_FAILED', `${kind} could not run`, { cause });
}

interface Addresses {
  readonly out: number;
  readonly password: number;
  readonly salt: number;
}

function argon2id({ library }: Scratch, job: Argon2idJob, { out, password, salt }: Addresses): number {
  const { length, iterations } = job;
  const memory = job.memoryKiB * 1024;
  const passwordLength = job.password.length;
  return library._crypto_pwhash(
    out,
    length,
    0,
    password,
    passwordLength,
    0,
    salt,
    iterations,
    0,
    memory,
    ARGON2ID_13,
  );
}

function scrypt({ library }: Scratch, job: ScryptJob, { out, password, salt }: Addresses): number {
  const { N, r, p, length } = job;
  const [passwordLength, saltLength] = [job.password.length, job.salt.length];
  return library._crypto_pwhash_scryptsalsa208sha256_ll(
    password,
    passwordLength,
    salt,
    saltLength,
    N,
    0,
    r,
    p,
    out,
    length,
  );
}
