import { createRemoteError, TransportError } from '../errors.ts';
import { ResetCode, resetErrorCode } from './frames.ts';

/** The remote side broke NZ-WIRE-01. */
export function protocolError(message: string): TransportError {
  return new TransportError('PROTOCOL_ERROR', message, {
    resetCode: ResetCode.protocolError,
    isViolation: true,
  });
}

/** The remote side sent more than it had credit for, or gave more than a window can hold. */
export function flowControlError(message: string): TransportError {
  return new TransportError('FLOW_CONTROL', message, { resetCode: ResetCode.flowControl, isViolation: true });
}

/** The remote side makes more work than an honest peer does. */
export function floodError(message: string): TransportError {
  return new TransportError('FLOOD', message, { resetCode: ResetCode.flood, isViolation: true });
}

/** The remote side ended a stream with this code. */
export function remoteReset(code: number): TransportError {
  const message = `The remote side reset the stream (${code}).`;
  return createRemoteError(resetErrorCode(code), message, { resetCode: code });
}

/** This side ended a stream. */
export function localReset(code: number): TransportError {
  return createRemoteError('STREAM_RESET', 'The stream was reset on this side.', { resetCode: code });
}

/** What was written belongs behind the end. */
export function writtenAfterEnd(): TransportError {
  return new TransportError('STREAM_CLOSED', 'The stream was closed for writing.');
}

/** The application does not heed what `write` answers. */
export function writeOverflow(): TransportError {
  return new TransportError('WRITE_OVERFLOW', 'write answered false and was called on and on.');
}

/** The reason of an abort, which may be anything, as an error. */
export function abortError({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}

/** This side's reader of a stream failed. */
export function sinkThrew(cause: unknown): TransportError {
  return new TransportError('STREAM_RESET', 'The sink threw.', { cause, resetCode: ResetCode.internal });
}

/** A stream that the remote side's GOAWAY left out. */
export function notServed(code: number): TransportError {
  return createRemoteError('STREAM_REFUSED', 'The remote side was going away.', { resetCode: code });
}

/** The bytes of a stream are not what the message layer writes. */
export function malformed(message: string, cause?: unknown): TransportError {
  return createRemoteError('MALFORMED', message, { cause, resetCode: ResetCode.protocolError });
}
