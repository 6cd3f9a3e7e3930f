import type { Connection } from '../connection/connection.ts';
import { rejected } from '../deferred.ts';
import { TransportError } from '../errors.ts';
import { ControlFrames } from './control-frames.ts';
import type { FrameHandler } from './frame-reader.ts';
import {
  INITIAL_CONNECTION_WINDOW,
  INITIAL_STREAM_WINDOW,
  isProtocolName,
  ResetCode,
  WIRE_VERSION_2,
} from './frames.ts';
import { HeldBytes } from './held-bytes.ts';
import type { ResolvedWireLimits } from './limits.ts';
import type { MuxHost, MuxOptions } from './mux-host.ts';
import { MuxStream } from './mux-stream.ts';
import type { Pinger } from './pinger.ts';
import { ReceiveWindows } from './receive-windows.ts';
import { COPY_BELOW } from './record-builder.ts';
import { RecordReader } from './record-reader.ts';
import { SendScheduler } from './send-scheduler.ts';
import type { StreamOwner } from './stream-owner.ts';
import { StreamTable } from './stream-table.ts';
import { floodError, notServed, protocolError, remoteReset } from './wire-errors.ts';

/** GOAWAYs of a connection: an honest peer sends one when it drains and one when something is wrong; each looks at all streams. */
const MAX_GO_AWAYS = 4;

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
  readonly #out: SendScheduler;
  readonly #windows: ReceiveWindows;
  readonly #control: ControlFrames;
  readonly streams: StreamTable;
  readonly held: HeldBytes;
  readonly reader: RecordReader;
  #remoteGoAways = 0;
  /** Last stream of the remote side that is served, once this side has said GOAWAY. */
  #lastServedId: number | undefined;
  #failure: Error | undefined;

  constructor(options: MuxOptions) {
    this.#host = options.host;
    this.connection = options.connection;
    this.#limits = options.limits;
    this.maxQueuedBytes = options.limits.maxQueuedBytes;
    this.reader = new RecordReader(this, options.takesTurns ?? false);
    this.#isVersion2 = options.version >= WIRE_VERSION_2;
    this.streams = new StreamTable(options.isInitiator);
    this.held = new HeldBytes(this.streams, options.host.budget);
    this.#out = new SendScheduler(options.host, {
      connectionCredit: this.#isVersion2 ? INITIAL_CONNECTION_WINDOW : Number.POSITIVE_INFINITY,
      ...(options.maxRecord === undefined ? {} : { maxRecord: options.maxRecord }),
    });
    this.#control = new ControlFrames(this.#out, options.host);
    this.#windows = new ReceiveWindows(this.#control, this.held, options);
  }

  get pinger(): Pinger {
    return this.#control.pinger;
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
    this.#control.onDrain();
    this.#out.onDrain();
  }

  /** Sends what waits, at once. */
  flush(): void {
    this.#out.flush();
  }

  openStream(protocol: string, data?: Uint8Array): MuxStream {
    this.#assertCanOpen(protocol);
    const stream = new MuxStream(this, this.streams.nextId, protocol, 'outbound');
    this.streams.addOwn(stream);
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
    return this.#failure === undefined ? this.pinger.ping() : rejected(this.#failure);
  }

  /** Takes no new streams from now on; those that are open go on unless `code` says that something is wrong. */
  goAway(code: number = ResetCode.cancelled): void {
    if (this.#failure !== undefined) return;
    this.#lastServedId ??= this.streams.lastRemoteId;
    this.#control.goAway(this.#lastServedId, code);
    if (this.streams.size === 0) this.#host.onDrained();
  }

  /** The connection is over: every stream fails, those of very many in turns. */
  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.reader.stop();
    this.held.stop();
    this.#out.stop();
    this.#control.fail(error);
    this.streams.failAll(error);
  }

  /** The rest of the record is not looked at: the connection is over, or it is the turn of others. */
  get isStopped(): boolean {
    return this.#failure !== undefined || this.reader.isOverAfterFrame();
  }

  /**
   * Takes the plaintext of one record, which belongs to the multiplexer from now on; without one it goes on where `reader` stopped.
   *
   * @returns whether its bytes are kept by somebody; else nobody will look at them again.
   * @throws TransportError `PROTOCOL_ERROR`, `FLOW_CONTROL` or `FLOOD` with the `resetCode` for GOAWAY.
   */
  receive(bytes?: Uint8Array): boolean {
    const isKept = bytes === undefined ? this.reader.readRest() : this.reader.read(bytes);
    this.#control.assertAnswersAreRead();
    return isKept;
  }

  // What follows is called by streams.

  sendNow(stream: MuxStream, data: Uint8Array): number {
    return this.#out.sendNow(stream, data);
  }

  wait(stream: MuxStream): void {
    if (stream.sendCredit > 0) this.#out.wait(stream);
  }

  sendFin(stream: MuxStream): void {
    this.#control.fin(stream.id);
    if (!this.#isVersion2) stream.onFinAcked();
  }

  sendReset(stream: MuxStream, code: number): void {
    if (!stream.isRemoteFinished) this.#windows.allowStray(stream.receiveCredit);
    this.#control.reset(stream.id, code);
  }

  onConsumed(stream: MuxStream, size: number): void {
    if (this.#failure === undefined) this.#windows.consume(stream, size);
  }

  onUnread(size: number): void {
    this.#windows.onUnread(size);
  }

  onFinished(stream: MuxStream): void {
    if (!this.streams.delete(stream)) return;
    this.held.keep(stream);
    if (stream.direction === 'inbound') this.#host.budget.give();
    const isDraining = this.#lastServedId !== undefined && this.#failure === undefined;
    if (this.streams.size === 0 && isDraining) this.#host.onDrained();
  }

  #assertCanOpen(protocol: string): void {
    if (!isProtocolName(protocol))
      throw new TypeError('A protocol name is 1 to 255 printable ASCII characters.');
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.isOpen) throw new TransportError('GOING_AWAY', 'The connection takes no new streams.');
    if (this.streams.outbound >= this.#limits.maxOutboundStreams || this.streams.isExhausted) {
      throw new TransportError('STREAM_LIMIT', 'No more streams fit on this connection.');
    }
  }

  // What follows is called by the frame reader.

  onData(id: number, data: Uint8Array): void {
    const stream = this.streams.find(id);
    if (stream === undefined) {
      this.#windows.receiveStray(data.length);
      return;
    }
    if (stream.isRemoteFinished) throw protocolError('Data arrived after FIN.');
    this.#windows.receive(stream, data.length);
    if (stream.onData(data, this.reader.isShared)) this.reader.keep();
    if (!this.#isVersion2 && this.#windows.isOverfull) stream.reset(ResetCode.memory);
    this.#windows.refreshConnection();
  }

  onOpen(id: number, protocol: string, data: Uint8Array | undefined): void {
    this.streams.useRemoteId(id);
    if (this.#isRefused(id)) {
      this.#windows.allowStray(INITIAL_STREAM_WINDOW);
      if (data !== undefined) this.#windows.receiveStray(data.length);
      return;
    }
    const stream = new MuxStream(this, id, protocol, 'inbound');
    this.streams.addRemote(stream);
    this.#host.onStream(stream);
    if (data === undefined) return;
    this.#windows.receive(stream, data.length);
    if (stream.failure === undefined && stream.onData(data, this.reader.isShared)) this.reader.keep();
    this.#windows.refreshConnection();
  }

  onWindow(id: number, size: number): void {
    if (size === 0) throw protocolError('A WINDOW frame grants nothing.');
    if (id === 0) {
      if (!this.#isVersion2) throw protocolError('WINDOW for the connection in version 1.');
      this.#out.grantConnection(size);
      return;
    }
    const stream = this.streams.find(id);
    if (stream !== undefined) this.#out.grant(stream, size);
  }

  onFin(id: number): void {
    const stream = this.streams.find(id);
    if (stream === undefined) return;
    if (stream.isRemoteFinished) throw protocolError('FIN came twice.');
    if (this.#isVersion2) this.#control.finAck(id);
    stream.onRemoteFin();
  }

  onFinAck(id: number): void {
    if (!this.#isVersion2) throw protocolError('FIN-ACK in version 1.');
    const stream = this.streams.find(id);
    if (stream === undefined) return;
    if (!stream.isFinSent) throw protocolError('FIN-ACK without FIN.');
    stream.onFinAcked();
  }

  onReset(id: number, code: number): void {
    const stream = this.streams.find(id);
    if (stream === undefined) return;
    if (stream.direction === 'inbound') this.#control.countReset(this.#limits.maxInboundStreams);
    stream.fail(remoteReset(code));
  }

  onPing(high: number, low: number): void {
    this.#control.pong(high, low);
  }

  onPong(_high: number, low: number): void {
    this.pinger.onPong(low);
  }

  onGoAway(lastStream: number, code: number): void {
    if (lastStream >= this.streams.nextId)
      throw protocolError('GOAWAY names a stream that was never opened.');
    this.#remoteGoAways += 1;
    if (this.#remoteGoAways > MAX_GO_AWAYS) throw floodError('Too many GOAWAYs.');
    this.#host.onGoAway(code);
    for (const stream of this.streams.ownAfter(lastStream)) stream.fail(notServed(code));
  }

  /** Says whether a new stream is not served, and says so to the remote side. */
  #isRefused(id: number): boolean {
    // After GOAWAY the remote side knows without an answer which streams were not served.
    if (this.#lastServedId !== undefined) return true;
    const isOverLimit = this.streams.inbound >= this.#limits.maxInboundStreams;
    if (!isOverLimit && this.#host.budget.take()) return false;
    if (isOverLimit) this.#control.countRefusal();
    // What other connections hold is nothing that an honest peer could know: it may open as many as the limit, all at once.
    else this.#control.countReset(this.#limits.maxInboundStreams);
    this.#control.reset(id, ResetCode.refused);
    return true;
  }
}
