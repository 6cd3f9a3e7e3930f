/** What the owner of a {@link ByteConnection} is told. What one of these throws destroys the connection. */
export interface ByteConnectionHandler {
  /** Bytes arrived. `chunk` is borrowed: it is overwritten as soon as this call returns. */
  onData(chunk: Uint8Array): void;
  /** The send buffer is empty again after a `write` that answered false. */
  onDrain(): void;
  /** The remote side will send no more. */
  onEnd(): void;
  /** The connection is gone; called exactly once and last. `error` is undefined after a clean end. */
  onClose(error?: Error): void;
  /** Work on what arrived was put off, which only a connection that {@link ByteConnection.takesTurns} allows. */
  readonly hasWork?: boolean;
  /** Does some of it. */
  onTurn?(): void;
}

/** A reliable, ordered, unauthenticated byte stream to another machine: what a {@link Transport} makes. */
export interface ByteConnection {
  /** Multiaddr text of this end, without `/p2p`. */
  readonly localAddress: string;
  /** Multiaddr text of the other end, without `/p2p`. */
  readonly remoteAddress: string;
  /**
   * Bytes that were written and that this process still holds, where the transport knows. When it is 0 behind a `write`,
   * the kernel has the bytes and the chunks' memory may be given back at once.
   */
  readonly heldBytes?: number;
  /**
   * Says that a handler may put work off: while it `hasWork`, its `onTurn` is called again and again, in turn with other connections,
   * and no bytes are delivered; it may still be told the end or the loss of the connection. So no peer holds the others up, whatever
   * a read of its bytes costs.
   */
  readonly takesTurns?: boolean;
  /** Starts reading. Nothing is read, and nothing is lost, before it is called. Calling it again replaces the handler. */
  start(handler: ByteConnectionHandler): void;
  /**
   * Writes all chunks with one system call where possible. The chunks belong to the connection from now on; small
   * ones may share their buffer with others, so they are never transferred.
   * @returns false when the caller should wait for `onDrain` before it writes more.
   */
  write(chunks: readonly Uint8Array[]): boolean;
  /** Stops reading until `resume`; the remote side is slowed by the transport's own flow control. */
  pause(): void;
  resume(): void;
  /** Flushes what was written, then ends the sending side. */
  end(): void;
  /** Drops the connection at once. `onClose` follows. */
  destroy(error?: Error): void;
}
