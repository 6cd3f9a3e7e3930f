import type { Connection } from '../connection/connection.ts';
import { rejected } from '../deferred.ts';
import { callOwner } from '../owner-hook.ts';
import { ByteQueue } from './byte-queue.ts';
import { INITIAL_STREAM_WINDOW, ResetCode } from './frames.ts';
import { endOf, handTo, owned } from './lending.ts';
import type { Sender } from './send-scheduler.ts';
import type { SignalOptions, Stream, StreamSink } from './stream.ts';
import { createStreamIterator } from './stream-iterator.ts';
import type { StreamOwner } from './stream-owner.ts';
import { Waiters } from './waiters.ts';
import { localReset, sinkThrew, writeOverflow, writtenAfterEnd } from './wire-errors.ts';

/** `write` answers false from here on: as much as fills one record waits. */
const HIGH_WATER = 64 * 1024;

/** One stream of a {@link Mux}. Outside of this package it is only seen as {@link Stream}. */
export class MuxStream implements Stream, Sender {
  readonly id: number;
  readonly protocol: string;
  readonly direction: 'inbound' | 'outbound';
  readonly #owner: StreamOwner;

  sendCredit: number = INITIAL_STREAM_WINDOW;
  sendQueue: ByteQueue | undefined = undefined;
  isWaiting = false;
  nextWaiting: Sender | undefined = undefined;

  /** Bytes that the remote side may still send. */
  receiveCredit: number = INITIAL_STREAM_WINDOW;
  receiveWindow: number = INITIAL_STREAM_WINDOW;
  /** Bytes handed over since the last WINDOW frame. */
  consumed = 0;
  grantedAt = 0;
  /** Bytes that were handed over, and queued ones that have left; wraps at 32 bits. */
  moved = 0;

  /** The remote side's FIN has arrived. */
  isRemoteFinished = false;
  isFinSent = false;
  /** Both directions are over. */
  isFinished = false;
  /** Called once when the stream is over: removes listeners. */
  onOver: (() => void) | undefined;
  /** Why the stream ended early. */
  failure: Error | undefined = undefined;
  /** What this side sends by itself is its own choice; on a stream of the remote side it is what that does not read. */
  #isQueueCounted: boolean;
  #isFinWanted = false;
  #isFinAcked = false;
  #unread: ByteQueue | undefined;
  #sink: StreamSink | undefined;
  #isPaused = false;
  #isDelivering = false;
  #isEndDelivered = false;
  /** This side has reset the stream before its end was handed over: nothing follows any more. */
  #isCut = false;
  #waiters: Waiters | undefined;
  #finWaiters: Waiters | undefined;

  constructor(owner: StreamOwner, id: number, protocol: string, direction: 'inbound' | 'outbound') {
    this.#owner = owner;
    this.id = id;
    this.protocol = protocol;
    this.direction = direction;
    this.#isQueueCounted = direction === 'inbound';
  }

  get connection(): Connection {
    return this.#owner.connection;
  }

  get queuedBytes(): number {
    return this.sendQueue?.length ?? 0;
  }

  get unreadBytes(): number {
    return this.#unread?.length ?? 0;
  }

  /** Bytes that count as held for the remote side. */
  get heldBytes(): number {
    return this.unreadBytes + (this.#isQueueCounted ? this.queuedBytes : 0);
  }

  /** What is queued counts elsewhere from now on: as answers of the message layer. */
  countQueueElsewhere(): void {
    if (this.#isQueueCounted) this.#owner.held.add(-this.queuedBytes);
    this.#isQueueCounted = false;
  }

  write(data: Uint8Array): boolean {
    if (this.failure !== undefined) return false;
    if (this.#isFinWanted) throw writtenAfterEnd();
    data = owned(data);
    const queued = this.queuedBytes;
    if (queued > this.#owner.maxQueuedBytes) throw writeOverflow();
    const sent = queued === 0 ? this.#owner.sendNow(this, data) : 0;
    if (sent === data.length) return queued < HIGH_WATER;
    const rest = sent === 0 ? data : data.subarray(sent);
    this.sendQueue ??= new ByteQueue();
    this.sendQueue.pushWritten(rest);
    if (this.#isQueueCounted) this.#owner.held.add(rest.length);
    if (this.failure !== undefined) return false;
    this.#owner.wait(this);
    return queued + rest.length < HIGH_WATER;
  }

  drained(options: SignalOptions = {}): Promise<void> {
    if (this.failure !== undefined) return rejected(this.failure);
    if (this.queuedBytes === 0) {
      // A large piece may be in the record that this turn is still gathering.
      this.#owner.flush();
      return Promise.resolve();
    }
    this.#waiters ??= new Waiters();
    return this.#waiters.add(options.signal);
  }

  closeWrite(options: SignalOptions = {}): Promise<void> {
    if (this.#isFinAcked) return Promise.resolve();
    if (this.failure !== undefined) return rejected(this.failure);
    this.#finWaiters ??= new Waiters();
    const finished = this.#finWaiters.add(options.signal);
    if (!this.#isFinWanted) {
      this.#isFinWanted = true;
      if (this.queuedBytes === 0) this.onQueueSent();
    }
    return finished;
  }

  reset(code: number = ResetCode.cancelled): void {
    this.resetWith(code, localReset(code));
  }

  /** Resets with an error that this side's callers see. */
  resetWith(code: number, error: Error): void {
    const isOver = this.failure !== undefined || this.#isOver();
    if (!isOver) this.#owner.sendReset(this, code);
    if (!this.#isEndDelivered) this.#isCut = true;
    this.#dropUnread();
    if (!isOver) this.fail(error);
    else if (this.#isCut) {
      this.failure ??= error;
      this.#deliver();
    }
  }

  receive(sink: StreamSink): void {
    this.#sink = sink;
    this.#deliver();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#deliver();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return createStreamIterator(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.failure === undefined) await this.closeWrite().catch(() => undefined);
    if (!this.isRemoteFinished || this.unreadBytes > 0) this.reset();
  }

  /** A DATA or OPEN frame's bytes, within credit; of shared ones a sink gets a copy to keep. @returns whether somebody keeps them */
  onData(bytes: Uint8Array, isShared: boolean): boolean {
    const sink = this.#sink;
    if (sink !== undefined && !this.#isPaused && this.unreadBytes === 0) {
      const isKept = sink.isBorrowing !== true;
      const untaken = this.#handOver(isKept && isShared ? new Uint8Array(bytes) : bytes);
      if (untaken !== undefined) this.#putBack(new Uint8Array(untaken)); // The record's memory may be gone by then.
      return isKept && !isShared;
    }
    this.#unread ??= new ByteQueue();
    this.#unread.push(bytes);
    this.#owner.onUnread(bytes.length);
    if (sink !== undefined) this.#deliver();
    return true;
  }

  /** The remote side's FIN. */
  onRemoteFin(): void {
    this.isRemoteFinished = true;
    this.#deliver();
    if (this.#isOver()) this.#finish();
  }

  /** The remote side has everything up to our FIN; in version 1, our FIN is on its way. */
  onFinAcked(): void {
    if (this.#isFinAcked) return;
    this.#isFinAcked = true;
    this.#finWaiters?.resolve();
    if (this.#isOver()) this.#finish();
  }

  onSent(bytes: number): void {
    this.moved = (this.moved + bytes) | 0;
    if (this.#isQueueCounted) this.#owner.held.add(-bytes);
  }

  onQueueSent(): void {
    this.#waiters?.resolve();
    if (!this.#isFinWanted || this.isFinSent) return;
    this.isFinSent = true;
    this.#owner.sendFin(this);
  }

  /** Ends the stream, also where only `failure` was set before. What had arrived in full, up to the remote side's FIN, stays readable. */
  fail(error: Error): void {
    if (this.isFinished || (this.failure ?? error) !== error) return;
    this.failure = error;
    const queued = this.queuedBytes;
    this.sendQueue = undefined;
    if (this.#isQueueCounted) this.#owner.held.add(-queued);
    this.#waiters?.reject(error);
    this.#finWaiters?.reject(error);
    if (!this.isRemoteFinished) this.#dropUnread();
    this.#finish();
    if (this.isRemoteFinished && !this.#isEndDelivered)
      callOwner((why) => this.#sink?.onAbandoned?.(why), error);
    this.#deliver();
  }

  /** The application's own fault ends its stream, nothing else. */
  sinkThrew(cause: unknown): void {
    this.resetWith(ResetCode.internal, sinkThrew(cause));
  }

  #isOver(): boolean {
    return this.isRemoteFinished && this.#isFinAcked;
  }

  #finish(): void {
    if (this.isFinished) return;
    this.isFinished = true;
    this.onOver?.();
    this.onOver = undefined;
    this.#owner.onFinished(this);
  }

  /** @returns what the sink has left of the bytes, unless the stream was reset meanwhile */
  #handOver(bytes: Uint8Array): Uint8Array | undefined {
    const left = handTo(this.#sink, bytes, this);
    const untaken = this.#isCut || (this.failure !== undefined && !this.isRemoteFinished) ? 0 : left;
    this.moved = (this.moved + bytes.length - untaken) | 0;
    this.#owner.onConsumed(this, bytes.length - untaken);
    return untaken > 0 ? bytes.subarray(bytes.length - untaken) : undefined;
  }

  #putBack(bytes: Uint8Array): void {
    this.#unread ??= new ByteQueue();
    this.#unread.unshift(bytes);
    this.#owner.onUnread(bytes.length);
    if (!this.#isPaused) this.sinkThrew(new TypeError('a sink that leaves bytes pauses its stream'));
  }

  /** Hands over what is unread, then the end; stops as soon as the sink pauses. */
  #deliver(): void {
    const isEndDue = this.isRemoteFinished && !this.#isEndDelivered && !this.#isCut;
    if (this.failure !== undefined && !isEndDue) this.#tellReset();
    // A sink that resumes within `onData` is served by the loop that called it.
    if (this.#sink === undefined || this.#isEndDelivered || this.#isDelivering) return;
    this.#isDelivering = true;
    while (!this.#isPaused && this.#sink !== undefined) {
      const chunk = this.#unread?.shift();
      if (chunk === undefined) break;
      this.#owner.onUnread(-chunk.length);
      const untaken = this.#handOver(chunk);
      if (untaken !== undefined) this.#putBack(untaken);
    }
    this.#isDelivering = false;
    if (!this.#isPaused && this.isRemoteFinished && this.unreadBytes === 0) this.#deliverEnd();
  }

  #deliverEnd(): void {
    this.#isEndDelivered = true;
    endOf(this.#sink, this);
    if (this.failure !== undefined) this.#tellReset();
  }

  #tellReset(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    callOwner((error) => sink?.onReset(error), this.failure!);
  }

  #dropUnread(): void {
    const size = this.unreadBytes;
    this.#unread?.clear();
    this.#owner.onUnread(-size);
    this.#owner.onConsumed(this, size);
  }
}
