import { type ChannelSink, createStreamChannel, type StreamChannel } from '@nzcore/crypto/channel';
import type { HandshakeResult } from '@nzcore/crypto/handshake';
import { type PeerId, peerIdFromPublicKey } from '@nzcore/identity';
import type { ByteConnection, ByteConnectionHandler } from '../byte-connection.ts';
import { abortable, createDeferred, type Deferred } from '../deferred.ts';
import { createLoss, TransportError, type TransportErrorCode } from '../errors.ts';
import { createMessageMemory, type MemoryBudget, type MessageMemory } from '../messages/memory-budget.ts';
import { ResetCode } from '../mux/frames.ts';
import type { ResolvedWireLimits } from '../mux/limits.ts';
import { Mux, type MuxHost } from '../mux/mux.ts';
import type { MuxStream } from '../mux/mux-stream.ts';
import type { SignalOptions, Stream } from '../mux/stream.ts';
import type { Timers, TimerTarget } from '../time/timers.ts';
import type { Connection, ConnectionStats, OpenStreamOptions } from './connection.ts';
import { releaseMemory, releaseRecord } from './release-memory.ts';
import type { StreamHandler } from './upgrade-options.ts';

/** How long a closed connection may keep its socket so that the last record leaves, in milliseconds. */
const LINGER = 2000;

/** Answers of the channel that may wait behind a socket that takes nothing, in bytes: an honest peer asks for one a minute. */
const MAX_BLOCKED_CONTROL = 64 * 1024;

/** Sealed bytes that are gathered for one write: for each 64 KiB it saves the kernel a third of its work on both sides. */
const WRITE_SIZE = 256 * 1024;

/** What an open stream costs with the promises of its handler, in bytes: without a common bound many connections of many streams fill memory. */
const STREAM_COST = 2048;
/** Streams of the remote side that cost nothing of the budget: a connection of few streams needs none. */
const FREE_STREAMS = 64;

export interface SecureConnectionOptions {
  readonly bytes: ByteConnection;
  readonly result: HandshakeResult;
  readonly localIdentity: Uint8Array;
  readonly limits: ResolvedWireLimits;
  readonly timers: Timers;
  readonly onStream: StreamHandler | undefined;
  readonly onGoAway: ((connection: Connection) => void) | undefined;
  /** Shared with other connections. */
  readonly sharedMemory: MemoryBudget | undefined;
  /** Called once, when the first record of the remote side was authentic. */
  readonly onFirstRecord: (() => void) | undefined;
}

/** `closing` has sent its goodbye and waits for the other side's; `over` waits for the socket to go. */
type Phase = 'open' | 'draining' | 'closing' | 'over' | 'gone';

/** Ties socket, channel and multiplexer together. It is the only place that knows all three. */
export class SecureConnection implements Connection, ByteConnectionHandler, MuxHost, TimerTarget {
  readonly #remoteIdentity: Uint8Array;
  readonly #localIdentity: Uint8Array;
  #remotePeer: PeerId | undefined;
  #localPeer: PeerId | undefined;
  readonly remoteStaticKey: Uint8Array;
  readonly remoteStaticKeyExpiresAt: number;
  readonly direction: 'inbound' | 'outbound';
  readonly version: number;
  readonly features: readonly string[];
  readonly channelBinding: Uint8Array;
  readonly #bytes: ByteConnection;
  readonly #sink: ChannelSink = {
    onData: (plaintext) => this.#onRecord(plaintext),
    onClose: () => this.#onRemoteClose(),
  };
  readonly #channel: StreamChannel;
  readonly #mux: Mux;
  readonly #timers: Timers;
  readonly #limits: ResolvedWireLimits;
  readonly #onStream: StreamHandler | undefined;
  readonly #onGoAway: ((connection: Connection) => void) | undefined;
  readonly #sharedMemory: MemoryBudget | undefined;
  #messageMemory: MessageMemory | undefined;
  #inboundStreams = 0;
  #onFirstRecord: (() => void) | undefined;
  #phase: Phase = 'open';
  #isRemoteClosed = false;
  #blockedControl = 0;
  /** Chunks of records that were sealed and wait to be written together. */
  #sealed: Uint8Array[] | undefined;
  #sealedBytes = 0;
  /** When the phase has lasted too long. */
  #deadline: number | undefined;
  /** Why the connection ended; undefined after an orderly close. */
  #reason: Error | undefined;
  readonly #gone: Deferred<Error | undefined> = createDeferred();

  constructor(options: SecureConnectionOptions) {
    const { bytes, result, limits, timers } = options;
    this.#bytes = bytes;
    this.#timers = timers;
    this.#limits = limits;
    this.#onStream = options.onStream;
    this.#onGoAway = options.onGoAway;
    this.#sharedMemory = options.sharedMemory;
    this.#onFirstRecord = options.onFirstRecord;
    this.#remoteIdentity = result.remote.identity;
    this.#localIdentity = options.localIdentity;
    this.remoteStaticKey = result.remote.staticKey;
    this.remoteStaticKeyExpiresAt = result.remote.staticKeyExpiresAt;
    this.direction = result.role === 'initiator' ? 'outbound' : 'inbound';
    this.version = result.version;
    this.features = result.features;
    this.channelBinding = result.handshakeHash;
    this.#channel = createStreamChannel(result, { now: timers.now() });
    this.#mux = new Mux({
      host: this,
      connection: this,
      isInitiator: result.role === 'initiator',
      version: result.version,
      limits,
      maxRecord: this.#channel.maxPlaintext,
    });
    this.#setTimer();
  }

  get remotePeer(): PeerId {
    this.#remotePeer ??= peerIdFromPublicKey(this.#remoteIdentity);
    return this.#remotePeer;
  }

  get localPeer(): PeerId {
    this.#localPeer ??= peerIdFromPublicKey(this.#localIdentity);
    return this.#localPeer;
  }

  get remoteAddress(): string {
    return this.#bytes.remoteAddress;
  }

  get localAddress(): string {
    return this.#bytes.localAddress;
  }

  get closed(): Promise<Error | undefined> {
    return this.#gone.promise;
  }

  /** Made when it is first asked for: an idle connection has none. */
  get messageMemory(): MessageMemory {
    this.#messageMemory ??= createMessageMemory({ ...this.#limits, shared: this.#sharedMemory });
    return this.#messageMemory;
  }

  get isOpen(): boolean {
    return this.#phase === 'open' && this.#mux.isOpen;
  }

  get stats(): ConnectionStats {
    const { receivedBytes, sentBytes, receivedRecords, sentRecords } = this.#channel.counters;
    return {
      bytesReceived: receivedBytes,
      bytesSent: sentBytes,
      recordsReceived: receivedRecords,
      recordsSent: sentRecords,
      streams: this.#mux.streamCount,
      streamsOpened: this.#mux.streamsOpened,
      streamsAccepted: this.#mux.streamsAccepted,
      unreadBytes: this.#mux.unreadBytes,
      roundTrip: this.#mux.pinger.roundTrip,
    };
  }

  async openStream(protocol: string, options: OpenStreamOptions = {}): Promise<Stream> {
    const { data, signal } = options;
    signal?.throwIfAborted();
    const stream = this.#mux.openStream(protocol, data);
    if (signal !== undefined) stream.bindSignal(signal);
    return stream;
  }

  ping(options: SignalOptions = {}): Promise<number> {
    return abortable(this.#mux.ping(), options.signal);
  }

  async close(options: SignalOptions = {}): Promise<void> {
    const { signal } = options;
    if (this.#phase === 'open') {
      this.#phase = 'draining';
      this.#setDeadline(this.#limits.closeTimeout);
      this.#mux.goAway();
    }
    const dropStreams = (): void => this.#sayGoodbye();
    if (signal?.aborted) dropStreams();
    else signal?.addEventListener('abort', dropStreams, { once: true });
    await this.#gone.promise;
    signal?.removeEventListener('abort', dropStreams);
  }

  abort(error?: Error): void {
    if (this.#phase === 'gone') return;
    this.#end(error ?? createLoss('The connection was dropped on this side.'));
    this.#bytes.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // What follows is called by the socket.

  onData(chunk: Uint8Array): void {
    if (this.#phase === 'over' || this.#phase === 'gone') return;
    this.#mux.cork();
    try {
      this.#channel.receive(chunk, this.#sink);
      this.#sendControl();
    } catch (cause) {
      this.#failChannel(cause);
    }
    this.#mux.uncork();
  }

  onDrain(): void {
    this.#blockedControl = 0;
    this.#mux.onDrain();
  }

  onEnd(): void {
    if (this.#isRemoteClosed || this.#phase === 'over' || this.#phase === 'gone') return;
    this.abort(createLoss('The connection ended without a goodbye.'));
  }

  onClose(error?: Error): void {
    if (this.#phase !== 'over' && this.#phase !== 'gone') this.#end(lost(error));
    this.#phase = 'gone';
    this.#timers.set(this, undefined);
    this.#gone.resolve(this.#reason);
  }

  // What follows is called by the multiplexer.

  now(): number {
    return this.#timers.now();
  }

  sendRecord(parts: readonly Uint8Array[]): boolean {
    if (this.#phase !== 'open' && this.#phase !== 'draining') return true;
    try {
      this.#gather(this.#channel.seal(parts));
    } catch (cause) {
      this.#failChannel(cause);
      return true;
    }
    return this.#sealedBytes < WRITE_SIZE || this.flushRecords();
  }

  flushRecords(): boolean {
    const chunks = this.#sealed;
    if (chunks === undefined) return true;
    this.#sealed = undefined;
    this.#sealedBytes = 0;
    const isWritable = this.#bytes.write(chunks);
    if (this.#bytes.heldBytes === 0) releaseMemory(chunks);
    return isWritable;
  }

  takeStream(): boolean {
    const isTaken = this.#inboundStreams < FREE_STREAMS || this.messageMemory.take(STREAM_COST);
    if (isTaken) this.#inboundStreams += 1;
    return isTaken;
  }

  giveStream(): void {
    if (this.#inboundStreams > FREE_STREAMS) this.messageMemory.give(STREAM_COST);
    this.#inboundStreams -= 1;
  }

  onStream(stream: MuxStream): void {
    if (this.#onStream === undefined) {
      stream.reset(ResetCode.unsupportedProtocol);
      return;
    }
    try {
      this.#onStream(stream);
    } catch {
      stream.reset(ResetCode.internal);
    }
  }

  onGoAway(code: number): void {
    if (code !== ResetCode.cancelled) {
      this.#reason ??= new TransportError(
        goAwayErrorCode(code),
        `The remote side ended the connection (${code}).`,
        { resetCode: code },
      );
    }
    this.#onGoAway?.(this);
  }

  onDrained(): void {
    // The frames that ended the last stream leave before the goodbye.
    if (this.#phase === 'draining') queueMicrotask(() => this.#sayGoodbye());
  }

  // What follows is called by the timers.

  onTimeout(now: number): void {
    if (this.#phase === 'gone') return;
    if (this.#deadline !== undefined && now >= this.#deadline) {
      this.#deadline = undefined;
      this.#onDeadline();
    }
    if (this.#phase === 'open' || this.#phase === 'draining') {
      try {
        this.#channel.onTimeout(now);
        this.#sendControl();
      } catch (cause) {
        this.#failChannel(cause);
      }
    }
    this.#setTimer();
  }

  #onRecord(plaintext: Uint8Array): void {
    if (this.#onFirstRecord !== undefined) {
      this.#onFirstRecord();
      this.#onFirstRecord = undefined;
    }
    if (this.#phase === 'over' || this.#phase === 'gone') return;
    try {
      if (!this.#mux.receive(plaintext)) releaseRecord(plaintext);
    } catch (error) {
      this.#failProtocol(error);
    }
  }

  /** The remote side said goodbye: nothing of it is missing, and it reads nothing more. */
  #onRemoteClose(): void {
    this.#isRemoteClosed = true;
    if (this.#phase === 'open' || this.#phase === 'draining') this.#writeGoodbye();
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
    this.#mux.flush();
    // Sealing may have found that the connection is over.
    if (this.#phase !== 'open' && this.#phase !== 'draining') return;
    this.#writeGoodbye();
    this.#phase = 'closing';
    this.#setDeadline(this.#limits.closeTimeout);
    this.#mux.fail(new TransportError('CONNECTION_CLOSED', 'The connection was closed.'));
  }

  #writeGoodbye(): void {
    this.#gather(this.#channel.close());
    this.flushRecords();
    this.#bytes.end();
  }

  #sendControl(): void {
    const chunks = this.#channel.takeControl();
    if (chunks === undefined) return;
    this.#gather(chunks);
    if (this.flushRecords()) return;
    for (const { length } of chunks) this.#blockedControl += length;
    if (this.#blockedControl > MAX_BLOCKED_CONTROL) {
      this.abort(new TransportError('FLOOD', 'Answers of the channel are not being read.'));
    }
  }

  /** Records leave in the order in which they were sealed. */
  #gather(chunks: Uint8Array[]): void {
    for (const { length } of chunks) this.#sealedBytes += length;
    if (this.#sealed === undefined) this.#sealed = chunks;
    else this.#sealed.push(...chunks);
  }

  /** The remote side broke NZ-WIRE-01: it is told why, then the connection ends. */
  #failProtocol(cause: unknown): void {
    const error =
      cause instanceof TransportError
        ? cause
        : new TransportError('PROTOCOL_ERROR', 'A record could not be processed.', { cause });
    if (this.#phase === 'open' || this.#phase === 'draining') {
      this.#mux.goAway(error.resetCode ?? ResetCode.internal);
      this.#mux.flush();
      this.#writeGoodbye();
    }
    this.#end(error);
  }

  /** The channel refused: nothing can be said any more, and nothing that arrived later can be believed. */
  #failChannel(cause: unknown): void {
    this.abort(new TransportError('PROTOCOL_ERROR', 'A record was not authentic.', { cause }));
  }

  /** Every stream fails, nothing is sent or read any more; the socket has a moment to send what it holds. */
  #end(reason: Error | undefined): void {
    if (this.#phase === 'over' || this.#phase === 'gone') return;
    this.#phase = 'over';
    this.#sealed = undefined;
    this.#sealedBytes = 0;
    this.#reason ??= reason;
    this.#mux.fail(this.#reason ?? new TransportError('CONNECTION_CLOSED', 'The connection was closed.'));
    this.#channel[Symbol.dispose]();
    this.#setDeadline(LINGER);
  }

  #setDeadline(delay: number): void {
    this.#deadline = this.#timers.now() + delay;
    this.#setTimer();
  }

  #setTimer(): void {
    const next = this.#phase === 'over' ? undefined : this.#channel.nextTimeout;
    if (next === undefined) this.#timers.set(this, this.#deadline);
    else this.#timers.set(this, Math.min(next, this.#deadline ?? next));
  }
}

function lost(cause: Error | undefined): TransportError {
  if (cause instanceof TransportError) return cause;
  return createLoss('The connection broke.', { cause });
}

function goAwayErrorCode(code: number): TransportErrorCode {
  if (code === ResetCode.flowControl) return 'FLOW_CONTROL';
  if (code === ResetCode.flood) return 'FLOOD';
  return 'PROTOCOL_ERROR';
}
