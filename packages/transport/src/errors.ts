/** What a {@link TransportError} can be about. Codes are stable; messages are not. */
export type TransportErrorCode =
  // Addresses and transports.
  | 'INVALID_ADDRESS'
  | 'DIAL_FAILED'
  | 'LISTEN_FAILED'
  | 'CONNECTION_LOST'
  // Upgrade, wire format and streams.
  | 'HANDSHAKE_FAILED'
  | 'HANDSHAKE_TIMEOUT'
  | 'PEER_MISMATCH'
  | 'VERSION_UNSUPPORTED'
  | 'PROTOCOL_ERROR'
  | 'FLOW_CONTROL'
  | 'FLOOD'
  | 'CONNECTION_CLOSED'
  | 'GOING_AWAY'
  | 'STREAM_RESET'
  | 'STREAM_REFUSED'
  | 'STREAM_CLOSED'
  | 'STREAM_LIMIT'
  | 'UNSUPPORTED_PROTOCOL'
  | 'WRITE_OVERFLOW'
  | 'MESSAGE_TOO_LARGE'
  | 'MALFORMED'
  | 'REQUEST_TIMEOUT'
  | 'REQUEST_FAILED'
  // Connection manager and datagram sessions.
  | 'NO_ADDRESS'
  | 'LIMIT_EXCEEDED'
  | 'BANNED'
  | 'PEER_UNRESPONSIVE'
  | 'SUPERSEDED'
  | 'CLOSED';

/** What a {@link TransportError} carries beside its message. */
export interface TransportErrorOptions extends ErrorOptions {
  /** The number in the RESET or GOAWAY frame that ended the stream or the connection, NZ-WIRE-01 §7. */
  readonly resetCode?: number;
  /** @defaultValue false */
  readonly isViolation?: boolean;
}

/** An operational failure of this package. Callers branch on `code`. */
export class TransportError extends Error {
  readonly code: TransportErrorCode;
  /** The number in the RESET or GOAWAY frame that ended the stream or connection, where there was one. */
  readonly resetCode: number | undefined;
  /** The other side broke the protocol: this side saw it, and nobody else says so. */
  readonly isViolation: boolean;

  constructor(code: TransportErrorCode, message: string, options: TransportErrorOptions = {}) {
    super(message, options);
    this.name = 'TransportError';
    this.code = code;
    this.resetCode = options.resetCode;
    this.isViolation = options.isViolation ?? false;
  }
}

/**
 * Makes an error that tells what the remote side did, or how a connection ended. It has no stack trace, which would only say that a
 * socket has news and takes longer than everything else that ending a stream or a connection needs.
 */
export function createRemoteError(
  code: TransportErrorCode,
  message: string,
  options?: TransportErrorOptions,
): TransportError {
  const limit: unknown = Reflect.get(Error, 'stackTraceLimit');
  // Only V8 and JavaScriptCore have a limit, and it may be frozen.
  if (limit !== undefined) Reflect.set(Error, 'stackTraceLimit', 0);
  const error = new TransportError(code, message, options);
  if (limit !== undefined) Reflect.set(Error, 'stackTraceLimit', limit);
  return error;
}

/** Says how a connection ended: an error that nobody throws. */
export function createLoss(message: string, options?: TransportErrorOptions): TransportError {
  return createRemoteError('CONNECTION_LOST', message, options);
}
