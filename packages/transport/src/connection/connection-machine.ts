import { ChannelError, createStreamChannel } from '@nzcore/crypto/channel';
import type { ByteConnection, ByteConnectionHandler } from '../byte-connection.ts';
import { createDeferred, type Deferred } from '../deferred.ts';
import { createLoss, TransportError } from '../errors.ts';
import { ResetCode } from '../mux/frames.ts';
import type { ResolvedWireLimits } from '../mux/limits.ts';
import { Mux } from '../mux/mux.ts';
import type { MuxHost } from '../mux/mux-host.ts';
import type { MuxStream } from '../mux/mux-stream.ts';
import type { SignalOptions } from '../mux/stream.ts';
import { callOwner, settleOwner } from '../owner-hook.ts';
import type { Timers, TimerTarget } from '../time/timers.ts';
import type { Connection } from './connection.ts';
import { closedError, goAwayError, lossOf, recordError } from './connection-errors.ts';
import { PhaseTimer } from './phase-timer.ts';
import { RecordBacklog } from './record-backlog.ts';
import { RecordChannel, type RecordOwner } from './record-channel.ts';
import type { SecureConnectionOptions } from './secure-connection.ts';
import { StreamBudget } from './stream-budget.ts';
import type { StreamHandler } from './upgrade-options.ts';

/** How long a closed connection may keep its socket so that the last record leaves, in milliseconds. */
const LINGER = 2000;

/** `closing` has sent its goodbye and waits for the other side's; `over` waits for the socket to go. */
type Phase = 'open' | 'draining' | 'closing' | 'over' | 'gone';

/** Ties socket, channel and multiplexer together, from the handshake's end to the socket's. It is the only place that knows all three. */
export class ConnectionMachine implements ByteConnectionHandler, MuxHost, RecordOwner, TimerTarget {
  readonly records: RecordChannel;
  readonly mux: Mux;
  readonly budget: StreamBudget;
  readonly #connection: Connection;
  readonly #bytes: ByteConnection;
  readonly #timers: Timers;
  readonly #limits: ResolvedWireLimits;
  readonly #onStream: StreamHandler | undefined;
  readonly #onGoAway: ((connection: Connection) => void) | undefined;
  #onFirstRecord: (() => void) | undefined;
  #phase: Phase = 'open';
  #isRemoteClosed = false;
  readonly #backlog: RecordBacklog;
  /** The remote side's goodbye waits behind them. */
  #isCloseDue = false;
  readonly #timer: PhaseTimer;
  /** Why the connection ended; undefined after an orderly close. */
  #reason: Error | undefined;
  /** Made when somebody asks. */
  #gone: Deferred<Error | undefined> | undefined;

  /** @param connection - What the streams and `onGoAway` are given. */
  constructor(options: SecureConnectionOptions, connection: Connection) {
    const { bytes, result, limits, timers } = options;
    this.#connection = connection;
    this.#bytes = bytes;
    this.#timers = timers;
    this.#limits = limits;
    this.#onStream = options.onStream;
    this.#onGoAway = options.onGoAway;
    this.#onFirstRecord = options.onFirstRecord;
    this.budget = new StreamBudget(options, this);
    const channel = createStreamChannel(result, { now: timers.now() });
    this.records = new RecordChannel(channel, bytes, this);
    this.mux = new Mux({
      host: this,
      connection,
      isInitiator: result.role === 'initiator',
      version: result.version,
      limits,
      maxRecord: channel.maxPlaintext,
      takesTurns: bytes.takesTurns === true,
    });
    this.#backlog = new RecordBacklog(this.mux, this.records);
    this.#timer = new PhaseTimer(timers, this, channel);
  }

  get isOpen(): boolean {
    return this.#phase === 'open' && this.mux.isOpen;
  }

  get closed(): Promise<Error | undefined> {
    this.#gone ??= createDeferred();
    if (this.#phase === 'gone') this.#gone.resolve(this.#reason);
    return this.#gone.promise;
  }

  async close(options: SignalOptions = {}): Promise<void> {
    const { signal } = options;
    if (this.#phase === 'open') {
      this.#phase = 'draining';
      this.#timer.setDeadline(this.#limits.closeTimeout);
      this.mux.goAway();
    }
    const dropStreams = (): void => this.#sayGoodbye();
    if (signal?.aborted) dropStreams();
    else signal?.addEventListener('abort', dropStreams, { once: true });
    await this.closed;
    signal?.removeEventListener('abort', dropStreams);
  }

  abort(error?: Error): void {
    if (this.#phase === 'gone') return;
    this.#end(error ?? createLoss('The connection was dropped on this side.'));
    this.#bytes.destroy();
  }

  // What follows is called by the socket.
  onData(chunk: Uint8Array): void {
    if (this.#phase === 'over' || this.#phase === 'gone') return;
    this.mux.reader.beginTurn();
    this.mux.cork();
    try {
      this.records.receive(chunk);
      this.#sendControl();
    } catch (cause) {
      this.#failChannel(cause);
    }
    this.mux.uncork();
  }

  get hasWork(): boolean {
    return !this.#backlog.isEmpty;
  }

  onTurn(): void {
    this.mux.cork();
    try {
      this.#backlog.workOff();
    } catch (error) {
      this.#failProtocol(error);
    }
    if (this.#isCloseDue && !this.hasWork) this.#closeRemotely();
    this.mux.uncork();
  }

  onDrain(): void {
    this.records.onDrain();
    this.mux.onDrain();
  }

  onEnd(): void {
    while (this.hasWork) this.onTurn();
    if (this.#isRemoteClosed || this.#phase === 'over' || this.#phase === 'gone') return;
    this.abort(createLoss('The connection ended without a goodbye.'));
  }

  onClose(error?: Error): void {
    if (this.#phase !== 'over' && this.#phase !== 'gone') this.#end(lossOf(error));
    this.#phase = 'gone';
    this.#timer.clear();
    this.#gone?.resolve(this.#reason);
  }

  // What follows is called by the multiplexer.

  now(): number {
    return this.#timers.now();
  }

  sendRecord(parts: readonly Uint8Array[]): boolean {
    if (this.#phase !== 'open' && this.#phase !== 'draining') return true;
    try {
      return this.records.send(parts);
    } catch (cause) {
      this.#failChannel(cause);
      return true;
    }
  }

  flushRecords(): boolean {
    return this.records.flush();
  }

  onStream(stream: MuxStream): void {
    try {
      if (this.#onStream === undefined) stream.reset(ResetCode.unsupportedProtocol);
      else settleOwner(this.#onStream(stream), () => stream.reset(ResetCode.internal));
    } catch {
      stream.reset(ResetCode.internal);
    }
  }

  onGoAway(code: number): void {
    if (code !== ResetCode.cancelled) this.#reason ??= goAwayError(code);
    callOwner(this.#onGoAway, this.#connection);
  }

  onDrained(): void {
    // The frames that ended the last stream leave before the goodbye.
    if (this.#phase === 'draining') queueMicrotask(() => this.#sayGoodbye());
  }

  // What follows is called by the timers.

  onTimeout(now: number): void {
    if (this.#phase === 'gone') return;
    if (this.#timer.takeDeadline(now)) this.#onDeadline();
    if (this.#phase === 'open' || this.#phase === 'draining') {
      try {
        this.records.channel.onTimeout(now);
        this.#sendControl();
      } catch (cause) {
        this.#failChannel(cause);
      }
    }
    this.#timer.update();
  }

  // What follows is called by the channel.

  onRecord(plaintext: Uint8Array): boolean {
    if (this.#onFirstRecord !== undefined) {
      this.#onFirstRecord();
      this.#onFirstRecord = undefined;
    }
    if (this.#phase === 'over' || this.#phase === 'gone') return false;
    try {
      return this.#backlog.read(plaintext);
    } catch (error) {
      this.#failProtocol(error);
      return true;
    }
  }

  onRemoteClose(): void {
    if (this.hasWork) this.#isCloseDue = true;
    else this.#closeRemotely();
  }

  /** The remote side said goodbye: nothing of it is missing, and it reads nothing more. */
  #closeRemotely(): void {
    this.#isCloseDue = false;
    this.#isRemoteClosed = true;
    if (this.#phase === 'open' || this.#phase === 'draining') this.records.sendGoodbye();
    this.#end(undefined);
    this.#bytes.end();
  }

  #onDeadline(): void {
    if (this.#phase === 'draining') this.#sayGoodbye();
    else {
      // Only the remote side's goodbye is missing, and every stream was over: nothing is lost.
      if (this.#phase === 'closing') this.#end(undefined);
      this.#bytes.destroy();
    }
  }

  /** Ends this side in an orderly way; streams that are still open fail. */
  #sayGoodbye(): void {
    if (this.#phase !== 'open' && this.#phase !== 'draining') return;
    this.mux.flush();
    // Sealing may have found that the connection is over.
    if (this.#phase !== 'open' && this.#phase !== 'draining') return;
    this.records.sendGoodbye();
    this.#phase = 'closing';
    this.#timer.setDeadline(this.#limits.closeTimeout);
    this.mux.fail(closedError());
  }

  #sendControl(): void {
    if (this.records.sendControl()) return;
    this.abort(new TransportError('FLOOD', 'Answers of the channel are not being read.'));
  }

  /** The remote side broke NZ-WIRE-01: it is told why, then the connection ends. */
  #failProtocol(cause: unknown): void {
    const error = recordError(cause);
    if (this.#phase === 'open' || this.#phase === 'draining') {
      this.mux.goAway(error.resetCode ?? ResetCode.internal);
      this.mux.flush();
      this.records.sendGoodbye();
    }
    this.#end(error);
  }

  /** The channel refused: nothing can be said any more, and nothing that arrived later can be believed. */
  #failChannel(cause: unknown): void {
    const isViolation = cause instanceof ChannelError && cause.code === 'INVALID_RECORD';
    this.abort(new TransportError('PROTOCOL_ERROR', 'A record was not authentic.', { cause, isViolation }));
  }

  /** Every stream fails, nothing is sent or read any more; the socket has a moment to send what it holds. */
  #end(reason: Error | undefined): void {
    if (this.#phase === 'over' || this.#phase === 'gone') return;
    this.#phase = 'over';
    this.#backlog.clear();
    this.records.drop();
    this.#reason ??= reason;
    this.mux.fail(this.#reason ?? closedError());
    this.records.channel[Symbol.dispose]();
    this.#timer.setDeadline(LINGER);
  }
}
