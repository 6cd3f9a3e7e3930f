import type { Connection } from '../connection/connection.ts';
import { rejected } from '../deferred.ts';
import { TransportError } from '../errors.ts';
import { TokenBucket } from '../token-bucket.ts';
import { type FrameHandler, readFrames } from './frame-reader.ts';
import {
  FrameType,
  HEADER_LENGTH,
  INITIAL_CONNECTION_WINDOW,
  INITIAL_STREAM_WINDOW,
  isProtocolName,
  MAX_WINDOW,
  ResetCode,
  resetErrorCode,
  WIRE_VERSION_2,
} from './frames.ts';
import type { ResolvedWireLimits } from './limits.ts';
import { MuxStream, type StreamOwner } from './mux-stream.ts';
import { Pinger } from './pinger.ts';
import { ReceiveWindows } from './receive-windows.ts';
import { COPY_BELOW } from './record-builder.ts';
import { type SchedulerHost, SendScheduler } from './send-scheduler.ts';
import { floodError, flowControlError, protocolError } from './wire-errors.ts';

/** What a {@link Mux} asks of the connection around it. None of these may throw. */
export interface MuxHost extends SchedulerHost {
  /** Monotonic milliseconds. */
  now(): number;
  /** There is room for one more stream of the remote side, beside those of other connections. */
  takeStream(): boolean;
  /** A stream that was taken is over. */
  giveStream(): void;
  /** The remote side opened a stream; its first data follows when this returns. */
  onStream(stream: MuxStream): void;
  /** The remote side takes no new streams; a code other than 0 says what this side did wrong. */
  onGoAway(code: number): void;
  /** This side drains and the last stream is over. */
  onDrained(): void;
}

export interface MuxOptions {
  readonly host: MuxHost;
  readonly connection: Connection;
  readonly isInitiator: boolean;
  readonly version: number;
  readonly limits: ResolvedWireLimits;
  readonly maxRecord?: number;
}

/** Answers that may pile up behind a socket that takes nothing before the remote side is taken for hostile, in bytes. */
const MAX_BLOCKED_ANSWERS = 1024 * 1024;

/** GOAWAYs of a connection: an honest peer sends one when it drains and one when something is wrong; each looks at all streams. */
const MAX_GO_AWAYS = 4;

/** The largest stream number. */
const MAX_STREAM_ID = 0xffff_ffff;

/**
 * NZ-WIRE-01 as a state machine: plaintexts of records go in, plaintexts of records come out through `host.sendRecord`.
 *
 * It knows no socket, no key and no timer. `receive` throws a {@link TransportError} when the remote side broke the
 * protocol; the connection is then over.
 */
export class Mux implements StreamOwner, FrameHandler {
  readonly connection: Connection;
  readonly maxQueuedBytes: number;
  readonly #host: MuxHost;
  readonly #limits: ResolvedWireLimits;
  readonly #isVersion2: boolean;
  readonly #isInitiator: boolean;
  readonly #out: SendScheduler;
  readonly #windows: ReceiveWindows;
  readonly #streams = new Map<number, MuxStream>();
  /** An honest peer cancels what it opened now and then, and all of it at once at the worst. */
  #resets: TokenBucket | undefined;
  /** An honest peer knows the limit, but for streams whose end is on its way. */
  #refusals: TokenBucket | undefined;
  #pinger: Pinger | undefined;
  #nextId: number;
  #lastRemoteId: number;
  #inbound = 0;
  #outbound = 0;
  #opened = 0;
  #accepted = 0;
  #blockedAnswers = 0;
  #remoteGoAways = 0;
  /** Last stream of the remote side that is served, once this side has said GOAWAY. */
  #lastServedId: number | undefined;
  #failure: Error | undefined;
  /** Somebody holds bytes of the record that is being read. */
  #isRecordKept = false;

  constructor(options: MuxOptions) {
    this.#host = options.host;
    this.connection = options.connection;
    this.#limits = options.limits;
    this.maxQueuedBytes = options.limits.maxQueuedBytes;
    this.#isInitiator = options.isInitiator;
    this.#isVersion2 = options.version >= WIRE_VERSION_2;
    this.#nextId = options.isInitiator ? 1 : 2;
    this.#lastRemoteId = options.isInitiator ? 0 : -1;
    this.#out = new SendScheduler(options.host, {
      connectionCredit: this.#isVersion2 ? INITIAL_CONNECTION_WINDOW : Number.POSITIVE_INFINITY,
      ...(options.maxRecord === undefined ? {} : { maxRecord: options.maxRecord }),
    });
    this.#windows = new ReceiveWindows(
      {
        now: () => this.#host.now(),
        roundTrip: () => this.pinger.roundTripForTuning(),
        grant: (stream, size) => this.#sendWindow(stream, size),
      },
      options.limits,
      this.#isVersion2,
    );
  }

  get pinger(): Pinger {
    this.#pinger ??= new Pinger({ now: () => this.#host.now(), send: (id) => this.#sendPing(id) });
    return this.#pinger;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  get streamsOpened(): number {
    return this.#opened;
  }

  get streamsAccepted(): number {
    return this.#accepted;
  }

  get unreadBytes(): number {
    return this.#windows.unread;
  }

  /** Takes new streams of this side. */
  get isOpen(): boolean {
    return this.#failure === undefined && this.#remoteGoAways === 0 && this.#lastServedId === undefined;
  }

  cork(): void {
    this.#out.cork();
  }

  uncork(): void {
    this.#out.uncork();
  }

  /** The socket takes more again. */
  onDrain(): void {
    this.#blockedAnswers = 0;
    this.#out.onDrain();
  }

  /** Sends what waits, at once. */
  flush(): void {
    this.#out.flush();
  }

  openStream(protocol: string, data?: Uint8Array): MuxStream {
    this.#assertCanOpen(protocol);
    const stream = new MuxStream(this, this.#nextId, protocol, 'outbound');
    this.#nextId += 2;
    this.#outbound += 1;
    this.#opened += 1;
    this.#streams.set(stream.id, stream);
    // First data rides along when it is small, the window allows it and nobody waits before it.
    const rides =
      data !== undefined &&
      data.length < COPY_BELOW &&
      data.length <= this.#out.connectionCredit &&
      !this.#out.isBlocked;
    this.#out.frames.open(stream.id, protocol, rides ? data : undefined);
    if (rides) {
      stream.sendCredit -= data.length;
      this.#out.connectionCredit -= data.length;
    } else if (data !== undefined) stream.write(data);
    this.#out.scheduleFlush();
    return stream;
  }

  ping(): Promise<number> {
    if (this.#failure !== undefined) return rejected(this.#failure);
    return this.pinger.ping();
  }

  /** Takes no new streams from now on; those that are open go on unless `code` says that something is wrong. */
  goAway(code: number = ResetCode.cancelled): void {
    if (this.#failure !== undefined) return;
    this.#lastServedId ??= Math.max(0, this.#lastRemoteId);
    this.#out.frames.numbers(FrameType.goAway, 0, this.#lastServedId, code);
    this.#out.scheduleFlush();
    if (this.#streams.size === 0) this.#host.onDrained();
  }

  /** The connection is over: every stream fails. */
  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#out.stop();
    this.#pinger?.fail(error);
    for (const stream of [...this.#streams.values()]) stream.fail(error);
    this.#streams.clear();
  }

  /** The rest of the record is not looked at: the connection is over. */
  get isStopped(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * Takes the plaintext of one record, which belongs to the multiplexer from now on.
   *
   * @returns whether its bytes are kept by somebody; else nobody will look at them again.
   * @throws TransportError `PROTOCOL_ERROR`, `FLOW_CONTROL` or `FLOOD` with the `resetCode` for GOAWAY.
   */
  receive(bytes: Uint8Array): boolean {
    this.#isRecordKept = false;
    readFrames(bytes, this);
    if (this.#blockedAnswers > MAX_BLOCKED_ANSWERS) throw floodError('Answers are not being read.');
    return this.#isRecordKept;
  }

  // What follows is called by streams.

  sendNow(stream: MuxStream, data: Uint8Array): number {
    return this.#out.sendNow(stream, data);
  }

  wait(stream: MuxStream): void {
    if (stream.sendCredit > 0) this.#out.wait(stream);
  }

  sendFin(stream: MuxStream): void {
    this.#out.frames.empty(FrameType.fin, stream.id);
    this.#out.scheduleFlush();
    if (!this.#isVersion2) stream.onFinAcked();
  }

  sendReset(stream: MuxStream, code: number): void {
    if (!stream.isRemoteFinished) this.#windows.allowStray(stream.receiveCredit);
    this.#sendResetFrame(stream.id, code);
  }

  onConsumed(stream: MuxStream, size: number): void {
    if (this.#failure === undefined) this.#windows.consume(stream, size);
  }

  onUnread(size: number): void {
    this.#windows.onUnread(size);
  }

  onFinished(stream: MuxStream): void {
    if (!this.#streams.delete(stream.id)) return;
    if (stream.direction === 'inbound') {
      this.#inbound -= 1;
      this.#host.giveStream();
    } else this.#outbound -= 1;
    const isDrained = this.#streams.size === 0 && this.#lastServedId !== undefined;
    if (isDrained && this.#failure === undefined) this.#host.onDrained();
  }

  #assertCanOpen(protocol: string): void {
    if (!isProtocolName(protocol))
      throw new TypeError('A protocol name is 1 to 255 printable ASCII characters.');
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.isOpen) throw new TransportError('GOING_AWAY', 'The connection takes no new streams.');
    if (this.#outbound >= this.#limits.maxOutboundStreams || this.#nextId > MAX_STREAM_ID) {
      throw new TransportError('STREAM_LIMIT', 'No more streams fit on this connection.');
    }
  }

  // What follows is called by the frame reader.

  onData(id: number, data: Uint8Array): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      this.#assertWasOpened(id);
      this.#windows.receiveStray(data.length);
      return;
    }
    if (stream.isRemoteFinished) throw protocolError('Data arrived after FIN.');
    this.#windows.receive(stream, data.length);
    if (stream.onData(data)) this.#isRecordKept = true;
    if (!this.#isVersion2 && this.#windows.isOverfull) stream.reset(ResetCode.memory);
    this.#windows.refreshConnection();
  }

  onOpen(id: number, protocol: string, data: Uint8Array | undefined): void {
    if (id !== this.#lastRemoteId + 2) throw protocolError('OPEN with a stream number out of order.');
    this.#lastRemoteId = id;
    if (this.#isRefused(id)) {
      this.#windows.allowStray(INITIAL_STREAM_WINDOW);
      if (data !== undefined) this.#windows.receiveStray(data.length);
      return;
    }
    const stream = new MuxStream(this, id, protocol, 'inbound');
    this.#inbound += 1;
    this.#accepted += 1;
    this.#streams.set(id, stream);
    this.#host.onStream(stream);
    if (data === undefined) return;
    this.#windows.receive(stream, data.length);
    if (stream.failure === undefined && stream.onData(data)) this.#isRecordKept = true;
    this.#windows.refreshConnection();
  }

  onWindow(id: number, size: number): void {
    if (size === 0) throw protocolError('A WINDOW frame grants nothing.');
    if (id === 0) {
      if (!this.#isVersion2) throw protocolError('WINDOW for the connection in version 1.');
      this.#out.connectionCredit = grown(this.#out.connectionCredit, size);
      this.#out.run();
      return;
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      this.#assertWasOpened(id);
      return;
    }
    stream.sendCredit = grown(stream.sendCredit, size);
    if (stream.queuedBytes === 0) return;
    this.#out.wait(stream);
    this.#out.run();
  }

  onFin(id: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      this.#assertWasOpened(id);
      return;
    }
    if (stream.isRemoteFinished) throw protocolError('FIN came twice.');
    if (this.#isVersion2) {
      this.#countAnswer(HEADER_LENGTH);
      this.#out.frames.empty(FrameType.finAck, id);
      this.#out.scheduleFlush();
    }
    stream.onRemoteFin();
  }

  onFinAck(id: number): void {
    if (!this.#isVersion2) throw protocolError('FIN-ACK in version 1.');
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      this.#assertWasOpened(id);
      return;
    }
    if (!stream.isFinSent) throw protocolError('FIN-ACK without FIN.');
    stream.onFinAcked();
  }

  onReset(id: number, code: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      this.#assertWasOpened(id);
      return;
    }
    if (stream.direction === 'inbound') {
      this.#resets ??= new TokenBucket(this.#limits.maxInboundStreams, 1000);
      if (!this.#resets.take(() => this.#host.now()))
        throw floodError('Too many streams were opened and reset.');
    }
    const message = `The remote side reset the stream (${code}).`;
    stream.fail(new TransportError(resetErrorCode(code), message, { resetCode: code }));
  }

  onPing(high: number, low: number): void {
    if (!this.pinger.mayAnswer()) throw floodError('Too many pings.');
    this.#countAnswer(HEADER_LENGTH + 8);
    this.#out.frames.numbers(FrameType.pong, 0, high, low);
    this.#out.scheduleFlush();
  }

  onPong(_high: number, low: number): void {
    this.pinger.onPong(low);
  }

  onGoAway(lastStream: number, code: number): void {
    if (lastStream >= this.#nextId) throw protocolError('GOAWAY names a stream that was never opened.');
    this.#remoteGoAways += 1;
    if (this.#remoteGoAways > MAX_GO_AWAYS) throw floodError('Too many GOAWAYs.');
    this.#host.onGoAway(code);
    for (const stream of [...this.#streams.values()]) {
      if (stream.direction === 'inbound' || stream.id <= lastStream) continue;
      stream.fail(
        new TransportError('STREAM_REFUSED', 'The remote side was going away.', { resetCode: code }),
      );
    }
  }

  /** Says whether a new stream is not served, and says so to the remote side. */
  #isRefused(id: number): boolean {
    // After GOAWAY the remote side knows without an answer which streams were not served.
    if (this.#lastServedId !== undefined) return true;
    if (this.#inbound < this.#limits.maxInboundStreams && this.#host.takeStream()) return false;
    this.#refusals ??= new TokenBucket(1000, 100);
    if (!this.#refusals.take(() => this.#host.now())) throw floodError('Too many streams were opened.');
    this.#sendResetFrame(id, ResetCode.refused);
    return true;
  }

  #sendPing(id: number): void {
    this.#out.frames.numbers(FrameType.ping, 0, 0, id);
    this.#out.scheduleFlush();
  }

  #sendWindow(stream: number, size: number): void {
    this.#out.frames.numbers(FrameType.window, stream, size);
    this.#out.scheduleFlush();
  }

  #sendResetFrame(stream: number, code: number): void {
    this.#countAnswer(HEADER_LENGTH + 4);
    this.#out.frames.numbers(FrameType.reset, stream, code);
    this.#out.scheduleFlush();
  }

  /** A peer that makes us answer and does not read the answers is not served from unbounded memory. */
  #countAnswer(size: number): void {
    if (this.#out.isBlocked) this.#blockedAnswers += size;
  }

  /** Frames of a stream that is over are still on their way; a stream that never was is a violation. */
  #assertWasOpened(id: number): void {
    const isOwn = (id & 1) === (this.#isInitiator ? 1 : 0);
    const isKnown = id > 0 && (isOwn ? id < this.#nextId : id <= this.#lastRemoteId);
    if (!isKnown) throw protocolError('A frame for a stream that was never opened.');
  }
}

function grown(credit: number, size: number): number {
  if (credit + size > MAX_WINDOW) throw flowControlError('A window was made too large.');
  return credit + size;
}
