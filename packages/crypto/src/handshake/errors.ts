/**
 * Why a handshake ended without a result. Only `INVALID_MESSAGE` can be caused by bytes that nobody authenticated;
 * the codes after it report what an authenticated peer said.
 *
 * - `INVALID_MESSAGE`: a message is malformed, not authentic, of another network, or not the one that was due.
 * - `IDENTITY_MISMATCH`: an authentic peer answered, but not the expected one.
 * - `CERTIFICATE_EXPIRED`: the peer's certificate for its static key has expired.
 * - `NO_COMMON_VERSION`: the version ranges do not meet.
 * - `NO_COMMON_CIPHER`: no record cipher is offered by both.
 * - `TIMEOUT`: the handshake took longer than it may.
 * - `FINISHED`: it was used after it had ended, failed or been disposed of.
 */
export type HandshakeErrorCode =
  | 'INVALID_MESSAGE'
  | 'IDENTITY_MISMATCH'
  | 'CERTIFICATE_EXPIRED'
  | 'NO_COMMON_VERSION'
  | 'NO_COMMON_CIPHER'
  | 'TIMEOUT'
  | 'FINISHED';

/** Failure of a handshake. Branch on `code`; the message is for people and holds nothing secret. */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError';
  readonly code: HandshakeErrorCode;

  constructor(code: HandshakeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The one answer to every received byte string that is not the message that was due. */
export function invalidMessage(): HandshakeError {
  return new HandshakeError('INVALID_MESSAGE', 'the peer did not send a valid handshake message');
}
