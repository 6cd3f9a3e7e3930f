import { CryptoError } from '@nzcore/crypto';
import { HandshakeError } from '@nzcore/crypto/handshake';
import { createLoss, TransportError, type TransportErrorCode } from '../errors.ts';
import { ResetCode } from '../mux/frames.ts';

/** Why a connection ended whose socket is gone. */
export function lossOf(cause: Error | undefined): TransportError {
  if (cause instanceof TransportError) return cause;
  return createLoss('The connection broke.', { cause });
}

/** What GOAWAY's number says that this side did wrong. */
export function goAwayError(code: number): TransportError {
  const message = `The remote side ended the connection (${code}).`;
  return new TransportError(goAwayErrorCode(code), message, { resetCode: code });
}

/** What a record's processing threw, as an error of this package. */
export function recordError(cause: unknown): TransportError {
  if (cause instanceof TransportError) return cause;
  return new TransportError('PROTOCOL_ERROR', 'A record could not be processed.', { cause });
}

/** The connection was ended in an orderly way, and something was still open on it. */
export function closedError(): TransportError {
  return new TransportError('CONNECTION_CLOSED', 'The connection was closed.');
}

/** The other end ended in an orderly way before there was a connection. */
export function endedHandshake(isAnswered: boolean): TransportError {
  return new TransportError('HANDSHAKE_FAILED', 'The connection ended during the handshake.', {
    ...(isAnswered ? {} : { cause: closedError() }),
  });
}

/** The other end read the first message, or would not, and ended without a word: it may not know such messages. */
export function isUnanswered(error: unknown): boolean {
  return (
    isHandshakeFailure(error) &&
    error.cause instanceof TransportError &&
    error.cause.code === 'CONNECTION_CLOSED'
  );
}

/** No first message could be made with what is known of the peer. */
export function isUnusableKey(error: unknown): boolean {
  return (
    isHandshakeFailure(error) && error.cause instanceof CryptoError && error.cause.code === 'INVALID_KEY'
  );
}

function isHandshakeFailure(error: unknown): error is TransportError {
  return error instanceof TransportError && error.code === 'HANDSHAKE_FAILED';
}

/** What a handshake has thrown, as an error of this package. */
export function upgradeError(cause: unknown): TransportError {
  if (cause instanceof TransportError) return cause;
  const code = cause instanceof HandshakeError ? cause.code : undefined;
  if (code === 'IDENTITY_MISMATCH') {
    return new TransportError('PEER_MISMATCH', 'Another peer answered than the one that was dialled.', {
      cause,
    });
  }
  if (code === 'NO_COMMON_VERSION' || code === 'NO_COMMON_CIPHER') {
    return new TransportError('VERSION_UNSUPPORTED', 'The two ends have no version in common.', { cause });
  }
  if (code === 'TIMEOUT')
    return new TransportError('HANDSHAKE_TIMEOUT', 'The handshake took too long.', { cause });
  return new TransportError('HANDSHAKE_FAILED', 'The other end could not be authenticated.', { cause });
}

function goAwayErrorCode(code: number): TransportErrorCode {
  if (code === ResetCode.flowControl) return 'FLOW_CONTROL';
  if (code === ResetCode.flood) return 'FLOOD';
  return 'PROTOCOL_ERROR';
}
