import { CryptoError } from '../errors.ts';

/**
 * Why the Noise engine refused:
 * - `INVALID_MESSAGE`: a received message is malformed, too long or not authentic. The handshake is wiped.
 * - `FINISHED`: the handshake or cipher state was used after it ended, failed or was disposed of.
 * - `NONCE_EXHAUSTED`: the cipher state has used its last nonce.
 */
export type NoiseErrorCode = 'INVALID_MESSAGE' | 'FINISHED' | 'NONCE_EXHAUSTED';

/** Failure of a Noise handshake or cipher state. Branch on `code`. */
export class NoiseError extends Error {
  override readonly name = 'NoiseError';
  readonly code: NoiseErrorCode;

  constructor(code: NoiseErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Says whether a primitive cannot run here at all: that is the program's fault, not that of a received message. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof CryptoError && (error.code === 'NOT_READY' || error.code === 'UNSUPPORTED');
}
