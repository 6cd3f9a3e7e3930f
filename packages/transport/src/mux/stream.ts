import type { Connection } from '../connection/connection.ts';

/** What the owner of a stream is told, in the call stack of the socket's read. None of these may be slow. */
export interface StreamSink {
  /**
   * Only borrows what it is given: a chunk is valid until `onData` returns, and whatever is to be kept is copied before; a `write`
   * of it within `onData` copies it by itself. The memory is then given back without waiting for the collector, which is a good part of
   * what receiving in bulk costs; where the runtime can, the chunk is detached, so that one which was kept is found empty.
   *
   * @defaultValue false
   */
  readonly isBorrowing?: boolean;
  /** Bytes arrived. They belong to the callee, unless it is borrowing. */
  onData(chunk: Uint8Array): void;
  /**
   * How many bytes at the end of the last chunk were not taken: asked behind `onData`. They are handed over again, before what follows
   * and without credit for them until then, when the stream is resumed. A sink that leaves some has paused the stream, else it loses it.
   *
   * @defaultValue 0
   */
  untaken?(): number;
  /** The remote side has closed its writing side; no more bytes follow. */
  onEnd(): void;
  /**
   * The stream ended while something up to the remote side's end is still to be handed over. That follows, but nothing written leaves any more: who
   * only answers may `reset`.
   */
  onAbandoned?(error: Error): void;
  /** The stream ended before both sides had closed it. Nothing follows. */
  onReset(error: Error): void;
}

/** For calls that can be aborted: they reject with the reason of the signal. */
export interface SignalOptions {
  readonly signal?: AbortSignal;
}

/**
 * One ordered, reliable flow of bytes in both directions within a connection.
 *
 * Read it either by iterating or by `receive`. Credit goes back to the sender when bytes are handed over,
 * so a reader that stops also stops the writer.
 */
export interface Stream extends AsyncIterable<Uint8Array>, AsyncDisposable {
  /** Number of the stream within its connection; odd when the connection's initiator opened it. */
  readonly id: number;
  /** Protocol name that the opener gave. */
  readonly protocol: string;
  readonly connection: Connection;
  readonly direction: 'inbound' | 'outbound';
  /** Bytes accepted by `write` that wait for credit or for the socket. */
  readonly queuedBytes: number;
  /**
   * Sends bytes. Pieces under 8 KiB are copied; a larger piece belongs to the stream until `drained` resolves.
   * On a stream that failed the bytes are dropped: false is returned and `drained` rejects with the reason.
   *
   * @returns false when the caller should await `drained` before it writes more.
   * @throws TransportError `STREAM_CLOSED` after `closeWrite` or `reset`; `WRITE_OVERFLOW` when false was ignored for too long.
   */
  write(data: Uint8Array): boolean;
  /** Resolves when nothing waits for credit or the socket. Every call has its own promise. Rejects when the stream fails. */
  drained(options?: SignalOptions): Promise<void>;
  /** Hands everything that arrives, and what has arrived, to `sink`. Excludes iterating. */
  receive(sink: StreamSink): void;
  /** Stops handing bytes to the sink; the sender runs out of credit. */
  pause(): void;
  /** Goes on after `pause`. */
  resume(): void;
  /**
   * Closes the writing side after what was written. Resolves when the remote side has received everything up to the end,
   * rejects when that can no longer be known.
   */
  closeWrite(options?: SignalOptions): Promise<void>;
  /** Ends both directions at once and drops what is queued. @defaultValue `ResetCode.cancelled` */
  reset(code?: number): void;
}
