import { CryptoError } from '../errors.ts';
import type { Argon2idOptions, ScryptOptions } from '../primitives.ts';
import { put, take, useScratch, withData } from './scratch.ts';

const ARGON2ID_13 = 2;

/** The parameters of one computation. */
export interface Argon2idJob extends Omit<Argon2idOptions, 'signal'> {
  readonly password: Uint8Array;
}

/** Argon2id on this thread. */
export function sodiumArgon2id(job: Argon2idJob): Uint8Array {
  const { password, salt, memoryKiB, iterations, length } = job;
  const area = useScratch();
  const result = withData(area, length + password.length, (out) => {
    const secret = out + length;
    put(area, secret, password);
    put(area, area.nonce, salt);
    const memory = memoryKiB * 1024;
    const status = area.library._crypto_pwhash(
      out,
      length,
      0,
      secret,
      password.length,
      0,
      area.nonce,
      iterations,
      0,
      memory,
      ARGON2ID_13,
    );
    return status === 0 ? take(area, out, length) : undefined;
  });
  if (result === undefined) throw new CryptoError('PASSWORD_HASH_FAILED', 'Argon2id could not run');
  return result;
}

/** scrypt on this thread. */
export function sodiumScrypt(password: Uint8Array, options: ScryptOptions): Uint8Array {
  const { salt, N, r, p, length } = options;
  const area = useScratch();
  const result = withData(area, length + password.length + salt.length, (out) => {
    const secret = out + length;
    const saltAddress = secret + password.length;
    put(area, secret, password);
    put(area, saltAddress, salt);
    const status = area.library._crypto_pwhash_scryptsalsa208sha256_ll(
      secret,
      password.length,
      saltAddress,
      salt.length,
      N,
      0,
      r,
      p,
      out,
      length,
    );
    return status === 0 ? take(area, out, length) : undefined;
  });
  if (result === undefined) throw new CryptoError('PASSWORD_HASH_FAILED', 'scrypt could not run');
  return result;
}
