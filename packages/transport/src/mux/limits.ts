/** Bounds of one connection. A peer that goes beyond one is refused or closed, never served from more memory. */
export interface WireLimits {
  /** Streams that the remote side may have open at once. @defaultValue 4,096 */
  readonly maxInboundStreams?: number;
  /** Streams that this side may have open at once. @defaultValue 4,096, what an equal peer allows */
  readonly maxOutboundStreams?: number;
  /** Largest window that one stream is tuned to, in bytes. @defaultValue 16 MiB */
  readonly maxStreamWindow?: number;
  /** Most unread bytes of all streams together. @defaultValue 32 MiB */
  readonly maxUnreadBytes?: number;
  /** Bytes that may wait in one stream's send queue before a further `write` throws. @defaultValue 16 MiB */
  readonly maxQueuedBytes?: number;
  /**
   * Bytes that the message layer may hold of one connection: bodies that have not arrived whole, requests without an answer, answers
   * that are not taken. The memory for them is at most twice that. What goes beyond fails with `ResetCode.overBudget`. @defaultValue 32 MiB
   */
  readonly maxMessageBytes?: number;
  /** Streams of the peer that messages or requests are read from at once. @defaultValue 1,024 */
  readonly maxMessageStreams?: number;
  /** Milliseconds in which a handshake must be over. @defaultValue 10,000 */
  readonly handshakeTimeout?: number;
  /** Milliseconds that `close` waits for open streams and for the other side's goodbye. @defaultValue 10,000 */
  readonly closeTimeout?: number;
}

/** The limits with every default filled in. */
export type ResolvedWireLimits = Required<WireLimits>;

export const DEFAULT_LIMITS: ResolvedWireLimits = {
  maxInboundStreams: 4_096,
  maxOutboundStreams: 4_096,
  maxStreamWindow: 16 * 1024 * 1024,
  maxUnreadBytes: 32 * 1024 * 1024,
  maxQueuedBytes: 16 * 1024 * 1024,
  maxMessageBytes: 32 * 1024 * 1024,
  maxMessageStreams: 1024,
  handshakeTimeout: 10_000,
  closeTimeout: 10_000,
};

/** Fills in the defaults. */
export function resolveLimits(limits?: WireLimits): ResolvedWireLimits {
  return limits === undefined ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, ...limits };
}
