/**
 * Why an operation of this package failed.
 *
 * - `AUTHENTICATION_FAILED`: a ciphertext or tag is not what the key holder sealed.
 * - `INVALID_KEY`: a public key has the right length but must not be used (small order, not on the curve).
 * - `MALFORMED`: bytes are not the canonical MessagePack that was asked for, or exceed a limit.
 * - `NOT_READY`: the operation needs libsodium, and `ready()` was not awaited.
 * - `UNSUPPORTED`: this runtime cannot do the operation at all.
 * - `DISPOSED`: a key or a secret was used after it had been disposed of.
 * - `PASSWORD_HASH_FAILED`: scrypt or Argon2id could not run, in general for lack of memory.
 */
export type CryptoErrorCode =
  | 'AUTHENTICATION_FAILED'
  | 'INVALID_KEY'
  | 'MALFORMED'
  | 'NOT_READY'
  | 'UNSUPPORTED'
  | 'DISPOSED'
  | 'PASSWORD_HASH_FAILED';

/** An operational failure of this package; misuse (wrong type, wrong length) is a TypeError or RangeError. */
export class CryptoError extends Error {
  override readonly name = 'CryptoError';
  /** What went wrong; stable, unlike the message. */
  readonly code: CryptoErrorCode;

  /** Makes the error; the message must never contain key material. */
  constructor(code: CryptoErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
