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
  | 'CONNECTION_CLOSED'
  | 'GOING_AWAY'
  | 'STREAM_RESET'
  | 'STREAM_CLOSED'
  | 'STREAM_LIMIT'
  | 'UNSUPPORTED_PROTOCOL'
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

/** An operational failure of this package. Callers branch on `code`. */
export class TransportError extends Error {
  readonly code: TransportErrorCode;

  constructor(code: TransportErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TransportError';
    this.code = code;
  }
}
