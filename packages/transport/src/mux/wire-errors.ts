import { TransportError } from '../errors.ts';
import { ResetCode } from './frames.ts';

/** The remote side broke NZ-WIRE-01. */
export function protocolError(message: string): TransportError {
  return new TransportError('PROTOCOL_ERROR', message, { resetCode: ResetCode.protocolError });
}

/** The remote side sent more than it had credit for, or gave more than a window can hold. */
export function flowControlError(message: string): TransportError {
  return new TransportError('FLOW_CONTROL', message, { resetCode: ResetCode.flowControl });
}

/** The remote side makes more work than an honest peer does. */
export function floodError(message: string): TransportError {
  return new TransportError('FLOOD', message, { resetCode: ResetCode.flood });
}

/** The bytes of a stream are not what the message layer writes. */
export function malformed(message: string, cause?: unknown): TransportError {
  return new TransportError('MALFORMED', message, { cause, resetCode: ResetCode.protocolError });
}
