import { INITIAL_CONNECTION_WINDOW, WIRE_VERSION_2 } from './frames.ts';
import type { HeldBytes } from './held-bytes.ts';
import type { ResolvedWireLimits } from './limits.ts';
import type { MuxOptions } from './mux-host.ts';
import type { MuxStream } from './mux-stream.ts';
import { flowControlError, protocolError } from './wire-errors.ts';

/** The window doubles when half of it was consumed in less than this many round trips: the sender was waiting for it. */
const TUNE_ROUND_TRIPS = 2;

export interface WindowHost {
  /** Last measured round trip in milliseconds; asking for it may start a measurement. */
  roundTrip(): number | undefined;
  now(): number;
  /** Sends a WINDOW frame; stream 0 is the connection. */
  grant(stream: number, size: number): void;
}

/** Credit that this side gives: when it is used up, given back and made larger. NZ-WIRE-01 §5. */
export class ReceiveWindows {
  readonly #host: WindowHost;
  readonly #limits: ResolvedWireLimits;
  readonly #held: HeldBytes;
  /** Version 1 has no window of the connection. */
  readonly #hasConnectionWindow: boolean;
  #window: number;
  #credit: number;
  #unread = 0;
  /** Bytes of data that may still arrive for streams that this side gave up. */
  #strayAllowance = 0;

  constructor(host: WindowHost, held: HeldBytes, options: Pick<MuxOptions, 'limits' | 'version'>) {
    this.#host = host;
    this.#held = held;
    this.#limits = options.limits;
    this.#hasConnectionWindow = options.version >= WIRE_VERSION_2;
    this.#window = INITIAL_CONNECTION_WINDOW;
    this.#credit = INITIAL_CONNECTION_WINDOW;
  }

  /** Bytes that arrived and were not handed over yet. */
  get unread(): number {
    return this.#unread;
  }

  /** More than the connection may keep; only a peer of version 1 can bring that about. */
  get isOverfull(): boolean {
    return this.#unread > this.#limits.maxUnreadBytes;
  }

  onUnread(size: number): void {
    this.#unread += size;
    this.#held.add(size);
  }

  /** Takes received bytes off the credit. @throws TransportError `FLOW_CONTROL` */
  receive(stream: MuxStream | undefined, size: number): void {
    if (this.#hasConnectionWindow) {
      this.#credit -= size;
      if (this.#credit < 0) throw flowControlError('More data than the connection has credit for.');
    }
    if (stream === undefined) return;
    stream.receiveCredit -= size;
    if (stream.receiveCredit < 0) throw flowControlError('More data than the stream has credit for.');
  }

  /** Bytes for a stream that is gone: allowed as far as the remote side could not know. @throws TransportError `PROTOCOL_ERROR` */
  receiveStray(size: number): void {
    this.receive(undefined, size);
    this.#strayAllowance -= size;
    if (this.#strayAllowance < 0) throw protocolError('Data arrived on a closed stream.');
    this.refreshConnection();
  }

  /** A stream was given up that the remote side may go on sending on. */
  allowStray(size: number): void {
    this.#strayAllowance += size;
  }

  /** Bytes were handed to a reader: gives credit back when half a window is used up. */
  consume(stream: MuxStream, size: number): void {
    this.refreshConnection();
    if (stream.isRemoteFinished || stream.failure !== undefined) {
      if (stream.isFinished) this.#held.forget(stream);
      return;
    }
    stream.consumed += size;
    if (stream.consumed * 2 < stream.receiveWindow) return;
    this.#tune(stream);
    const grant = stream.consumed;
    stream.consumed = 0;
    stream.receiveCredit += grant;
    this.#host.grant(stream.id, grant);
  }

  /** Gives the connection's credit back when half of it is used up, and enlarges it when unread streams take too much of it. */
  refreshConnection(): void {
    if (!this.#hasConnectionWindow || this.#credit * 2 > this.#window - this.#unread) return;
    if (this.#unread * 2 > this.#window) this.#enlargeConnection(this.#window * 2);
    // Measured by what unread streams leave over, so that the others go on however little that is.
    const usable = this.#window - this.#unread;
    const grant = usable - this.#credit;
    if (grant <= 0 || grant * 4 < usable) return;
    this.#credit += grant;
    this.#host.grant(0, grant);
  }

  #tune(stream: MuxStream): void {
    const roundTrip = this.#host.roundTrip();
    const now = this.#host.now();
    const elapsed = now - stream.grantedAt;
    const isFirst = stream.grantedAt === 0;
    stream.grantedAt = now;
    if (isFirst || roundTrip === undefined || elapsed > TUNE_ROUND_TRIPS * roundTrip) return;
    if (this.#held.isScarce) return;
    const window = Math.min(stream.receiveWindow * 2, this.#limits.maxStreamWindow);
    if (window <= stream.receiveWindow) return;
    stream.consumed += window - stream.receiveWindow;
    stream.receiveWindow = window;
    // One stream that nobody reads must not stop all others.
    this.#enlargeConnection(window * 2);
  }

  /** What is promised cannot be taken back: nothing is, while memory is scarce. */
  #enlargeConnection(window: number): void {
    if (this.#held.isScarce) return;
    this.#window = Math.max(this.#window, Math.min(window, this.#limits.maxUnreadBytes));
  }
}
