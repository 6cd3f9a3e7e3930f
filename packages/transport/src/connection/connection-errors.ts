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

function goAwayErrorCode(code: number): TransportErrorCode {
  if (code === ResetCode.flowControl) return 'FLOW_CONTROL';
  if (code === ResetCode.flood) return 'FLOOD';
  return 'PROTOCOL_ERROR';
}
