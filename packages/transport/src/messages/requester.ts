import { createDeferred, type Deferred } from '../deferred.ts';
import { TransportError } from '../errors.ts';
import { ResetCode, readUint32 } from '../mux/frames.ts';
import type { SignalOptions, Stream } from '../mux/stream.ts';
import { malformed } from '../mux/wire-errors.ts';
import { MemoryHold, overBudget } from './memory-hold.ts';
import { MessageKind } from './message-frames.ts';
import { MessageReader } from './message-reader.ts';
import { agreedCompressors, MessageWriter } from './message-writer.ts';
import { BodyAssembler, type RequestOptions } from './request-body.ts';

/** Options of one request. */
export interface RequestCallOptions extends SignalOptions {
  /** Milliseconds until the request is given up with `REQUEST_TIMEOUT`. @defaultValue 30,000 */
  readonly timeout?: number;
}

/** Asks the other side over one stream; any number of requests may be outstanding, answers come in any order. */
export interface Requester extends AsyncDisposable {
  /** Requests that wait for their answer. */
  readonly pending: number;
  /**
   * Sends a request and resolves with the answer. From 8 KiB on `body` must not change before that.
   *
   * @throws TransportError `REQUEST_TIMEOUT`, `REQUEST_FAILED` (`resetCode` is the handler's), `MESSAGE_TOO_LARGE`, `LIMIT_EXCEEDED`
   * (no memory here for the answer), or why the stream ended: the request may or may not have been carried out then. The signal's reason.
   */
  request(body: Uint8Array, options?: RequestCallOptions): Promise<Uint8Array>;
  /** Ends the stream in both directions; outstanding requests fail. */
  close(): void;
}

/** Makes a stream a {@link Requester}. Nobody else may use the stream. The other side uses `serveRequests`. @throws TransportError `LIMIT_EXCEEDED` for a stream of the peer that is one too many; it is refused then */
export function createRequester(stream: Stream, options: RequestOptions = {}): Requester {
  const memory = MemoryHold.open(stream);
  if (!memory) {
    stream.reset(ResetCode.refused);
    throw overBudget();
  }
  return new StreamRequester(stream, { ...options, memory });
}

class StreamRequester implements Requester {
  readonly #stream: Stream;
  readonly #writer: MessageWriter;
  readonly #waiting = new Map<number, Deferred<Uint8Array>>();
  readonly #maxBodyLength: number;
  readonly #memory: MemoryHold;
  #nextId = 1;
  #failure: Error | undefined;

  constructor(stream: Stream, options: RequestOptions & { memory: MemoryHold }) {
    const { memory } = options;
    const compressors = agreedCompressors(stream, options.compressors ?? []);
    const body = new BodyAssembler(options, memory, {
      onBody: (kind, id, { bytes, held }) => {
        memory.give(held);
        this.#onAnswer(kind, id, bytes);
      },
      onSkipped: (_kind, id) => this.#onSkipped(id),
    });
    const reader = new MessageReader(body.onFrame.bind(body), compressors, {
      memory,
      onSkipped: body.onSkippedFrame.bind(body),
      isWanted: () => body.isWanted,
      isBorrowing: true,
    });
    const drop = (): void => {
      body.clear();
      reader.clear();
    };
    memory.follow({ arrived: () => reader.arrived, drop });
    this.#stream = stream;
    this.#memory = memory;
    this.#maxBodyLength = body.maxLength;
    this.#writer = new MessageWriter(stream, compressors[0]);
    stream.receive({
      isBorrowing: true,
      onData: (chunk) => {
        try {
          reader.push(chunk);
        } catch (error) {
          this.#fail(error as Error);
          const isOverBudget = error instanceof TransportError && error.code === 'LIMIT_EXCEEDED';
          stream.reset(isOverBudget ? ResetCode.overBudget : ResetCode.protocolError);
        }
      },
      onEnd: () => {
        this.#fail(new TransportError('STREAM_CLOSED', 'The other side answers no more.'));
        // There is nothing left to ask for: half open, it would stay for as long as the connection.
        stream.reset();
      },
      onReset: (error) => this.#fail(error),
    });
  }

  get pending(): number {
    return this.#waiting.size;
  }

  async request(body: Uint8Array, options: RequestCallOptions = {}): Promise<Uint8Array> {
    const { signal, timeout = 30_000 } = options;
    signal?.throwIfAborted();
    if (body.length > this.#maxBodyLength)
      throw new TransportError('MESSAGE_TOO_LARGE', 'The request is too large.');
    const id = this.#takeId();
    const answer = createDeferred<Uint8Array>();
    const giveUp = (reason: unknown): void => {
      if (!this.#waiting.delete(id)) return;
      answer.reject(reason);
      this.#cancel(id);
    };
    const onAbort = (): void => giveUp(signal?.reason);
    const timer = setTimeout(
      () => giveUp(new TransportError('REQUEST_TIMEOUT', 'No answer in time.')),
      timeout,
    );
    this.#waiting.set(id, answer);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      // Given up while it waits: there is nothing to cancel.
      const target = { kind: MessageKind.request, id };
      await this.#writer.messageInTurn(target, body, () => this.#waiting.has(id));
      return await answer.promise;
    } finally {
      this.#waiting.delete(id);
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  close(): void {
    this.#fail(new TransportError('STREAM_CLOSED', 'The requester was closed.'));
    this.#stream.reset();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** Says that nobody wants the answer, when there is room: until it is heard a handler works for nothing, and has a place and memory. */
  #cancel(id: number): void {
    const target = { kind: MessageKind.cancel, id };
    const isOpen = (): boolean => this.#failure === undefined;
    // With the stream everything that was asked on it is over.
    this.#writer.messageInTurn(target, new Uint8Array(0), isOpen).catch(() => undefined);
  }

  #takeId(): number {
    if (this.#failure !== undefined) throw this.#failure;
    const id = this.#nextId;
    this.#nextId = id === 0xffff_ffff ? 1 : id + 1;
    if (this.#waiting.has(id)) throw new TransportError('STREAM_LIMIT', 'Too many requests are outstanding.');
    return id;
  }

  #onAnswer(kind: number, id: number, bytes: Uint8Array): void {
    if (kind !== MessageKind.response && kind !== MessageKind.failure) throw malformed('Not an answer.');
    const answer = this.#waiting.get(id);
    // An answer that crossed with our giving up.
    if (answer === undefined) return;
    if (kind === MessageKind.failure && bytes.length !== 4) throw malformed('Not a failure.');
    this.#waiting.delete(id);
    if (kind === MessageKind.response) answer.resolve(bytes);
    else {
      const resetCode = readUint32(bytes, 0);
      answer.reject(
        new TransportError('REQUEST_FAILED', `The request failed (${resetCode}).`, { resetCode }),
      );
    }
  }

  /** An answer that this side has no memory for. */
  #onSkipped(id: number): void {
    const answer = this.#waiting.get(id);
    this.#waiting.delete(id);
    answer?.reject(overBudget());
  }

  #fail(error: Error): void {
    this.#memory.release();
    if (this.#failure !== undefined) return;
    this.#failure = error;
    for (const answer of this.#waiting.values()) answer.reject(error);
    this.#waiting.clear();
  }
}
