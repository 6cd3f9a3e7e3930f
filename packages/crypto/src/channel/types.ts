import type { HandshakeResult } from '../handshake/types.ts';
import type { Primitives } from '../primitives.ts';
import type { ChannelLimits } from './limits.ts';

/** What of a handshake's result a channel needs; the whole result fits. */
export type ChannelBasis = Pick<HandshakeResult, 'role' | 'recordCipher' | 'maxRecordSize' | 'secrets'>;

/** Options of `createStreamChannel` and `createDatagramChannel`. */
export interface ChannelOptions {
  /** Milliseconds of any steady clock; later times come through `onTimeout`. */
  readonly now: number;
  /** @defaultValue the best backend of this runtime */
  readonly primitives?: Primitives;
  /** @defaultValue those of NZ-CHANNEL-01 §6 */
  readonly limits?: Partial<ChannelLimits>;
}

/** Who is told what arrived on a stream channel. None of these may throw. */
export interface ChannelSink {
  /**
   * Contents of up to some hundred bytes may share their ArrayBuffer with others, which makes each cheaper by a third. Whoever keeps one
   * for long copies it, or 8 KiB stay with it.
   */
  readonly isSharing?: boolean;
  /**
   * The content of one DATA record: authenticated, in order, never empty. Fresh memory that the callee owns, with
   * nothing else in its ArrayBuffer unless `isSharing`.
   */
  onData(plaintext: Uint8Array): void;
  /** The peer closed its direction; called once, nothing follows. */
  onClose(): void;
}

/** What a channel did so far. */
export interface ChannelCounters {
  /** Bytes on the wire, of all records. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** DATA records. */
  readonly sentRecords: number;
  readonly receivedRecords: number;
  /** Steps of the symmetric ratchet in the direction sent. */
  readonly keyUpdates: number;
  /** Completed steps of the Diffie-Hellman ratchet. */
  readonly ratchets: number;
}

/**
 * Protected records on a reliable byte stream (NZ-CHANNEL-01 §5), without I/O and without a clock.
 * `seal` may be called from within the sink; `receive` may not.
 */
export interface StreamChannel extends Disposable {
  /** Most bytes that one `seal` takes. */
  readonly maxPlaintext: number;
  /**
   * Seals the concatenated parts as one DATA record (behind a key update, when one is due).
   * @returns Chunks for one write, small ones in memory that they share with others. The parts may be reused as soon as it returns.
   * @throws TypeError for a part that is no Uint8Array, RangeError for more than `maxPlaintext` bytes: nothing has changed then;
   * ChannelError `CLOSED`, `LIMIT_REACHED`.
   */
  seal(parts: readonly Uint8Array[]): Uint8Array[];
  /**
   * Takes bytes of the stream, in any slicing; the chunk is borrowed. Plaintext is passed on only after it was authenticated.
   * @throws ChannelError; the channel is dead and wiped then. What the sink throws passes through, with the same effect.
   */
  receive(chunk: Uint8Array, sink: ChannelSink): void;
  /**
   * The byte stream ended.
   * @throws ChannelError `TRUNCATED` when the peer has not closed; the channel is wiped then.
   */
  receiveEnd(): void;
  /** What the channel itself has to say (ratchets); ask after `receive` and after `onTimeout`, and write it. */
  takeControl(): Uint8Array[] | undefined;
  /** When `onTimeout` is to be called next; undefined once the channel is closed. It changes only in `onTimeout`. */
  readonly nextTimeout: number | undefined;
  /** Lets time pass: ratchets that are due are prepared for `takeControl`. */
  onTimeout(now: number): void;
  /**
   * Closes the sending direction; write what it returns and end the stream. Idempotent: empty the second time.
   * @throws ChannelError `LIMIT_REACHED` when nothing can be said any more; it is closed all the same.
   */
  close(): Uint8Array[];
  /** The peer closed its direction, authentically. */
  readonly isRemoteClosed: boolean;
  readonly counters: ChannelCounters;
}

/** Protected datagrams over a network that may lose, repeat and reorder them (NZ-CHANNEL-01 §7). */
export interface DatagramChannel extends Disposable {
  /** Most bytes that one `seal` takes. */
  readonly maxPlaintext: number;
  /**
   * Seals one datagram: 29 bytes longer than the plaintext.
   * @throws RangeError for more than `maxPlaintext` bytes; ChannelError `CLOSED`, `LIMIT_REACHED`.
   */
  seal(plaintext: Uint8Array): Uint8Array;
  /**
   * Opens one datagram; borrowed.
   * @returns The plaintext in fresh memory, or undefined when the datagram was for the channel itself.
   * @throws ChannelError `INVALID_RECORD`: drop the datagram, the channel is as it was. `CLOSED` after the end.
   */
  open(datagram: Uint8Array): Uint8Array | undefined;
  /** Datagrams that the channel itself has to send; ask after `open` and after `onTimeout`. */
  takeControl(): Uint8Array[] | undefined;
  /** When `onTimeout` is to be called next; ask again after `open`, `takeControl` and `onTimeout`. */
  readonly nextTimeout: number | undefined;
  /** Lets time pass: ratchets, repetitions of lost offers, erasure of the previous epoch's key. */
  onTimeout(now: number): void;
  /**
   * Ends the channel: everything is wiped.
   * @returns The datagram that tells the peer; empty the second time.
   * @throws ChannelError `LIMIT_REACHED` when nothing can be said any more; everything is wiped all the same.
   */
  close(): Uint8Array[];
  /** The peer has closed, authentically. Datagrams that were under way may still come. */
  readonly isRemoteClosed: boolean;
  readonly counters: ChannelCounters;
}
