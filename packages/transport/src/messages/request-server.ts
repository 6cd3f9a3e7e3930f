import { TransportError } from '../errors.ts';
import { ResetCode } from '../mux/frames.ts';
import type { Stream } from '../mux/stream.ts';
import { malformed } from '../mux/wire-errors.ts';
import { WorkTurn } from '../time/work-turn.ts';
import { MemoryHold, overBudget } from './memory-hold.ts';
import { type MessageHeader, MessageKind } from './message-frames.ts';
import { MessageReader } from './message-reader.ts';
import { agreedCompressors, MessageWriter } from './message-writer.ts';
import { BodyAssembler, type RequestOptions } from './request-body.ts';
import { failure, type Outcome, type RequestContext, RequestEnd } from './request-context.ts';

/**
 * Answers a request. The signal aborts when the asker gave up or the stream ended: whoever goes on all the same holds memory that the
 * next requests do not get, until it is done.
 */
export type RequestHandler = (body: Uint8Array, context: RequestContext) => Promise<Uint8Array> | Uint8Array;

/** Options of {@link serveRequests}. */
export interface ServeOptions extends RequestOptions {
  /** Requests that may be worked on at once; as many again wait, and what follows is not read. @defaultValue 256 */
  readonly maxPending?: number;
}

/**
 * Answers the requests of a stream until it ends. Nobody else may use the stream.
 *
 * When the handler throws a TransportError with a `resetCode`, the asker gets that number; for anything else it gets
 * `ResetCode.internal`, and nothing of the error. What the connection may not hold any more (`messageMemory`) fails with
 * `ResetCode.overBudget`; a stream of the peer that is one too many is refused.
 */
export function serveRequests(stream: Stream, handler: RequestHandler, options: ServeOptions = {}): void {
  const memory = MemoryHold.open(stream);
  if (memory) new RequestServer(stream, handler, { ...options, memory }).start();
  else stream.reset(ResetCode.refused);
}

/** What a request costs beside its body, in bytes: the promises of its handler, and its signal. */
const REQUEST_COST = 1024;

const NOTHING = new Uint8Array(0);

/** A request without an answer. */
interface Asked {
  readonly id: number;
  /** Not kept here while its handler works on it. */
  body: Uint8Array | undefined;
  /** Bytes of the connection's budget. */
  readonly held: number;
  /** Made when its handler is called: very many of them may wait. */
  end: RequestEnd | undefined;
  isCancelled: boolean;
}

class RequestServer {
  readonly #stream: Stream;
  readonly #handler: RequestHandler;
  readonly #memory: MemoryHold;
  readonly #writer: MessageWriter;
  readonly #reader: MessageReader;
  readonly #maxPending: number;
  readonly #maxBodyLength: number;
  /** Requests without an answer, those that wait for their turn included. */
  readonly #pending = new Map<number, Asked>();
  /** Read and not begun: at most as many as may be worked on, so that those which are given up meanwhile need not be begun. */
  #waiting: Asked[] = [];
  #running = 0;
  readonly #turn: WorkTurn;
  /** A frame was held back: nothing is read until it may begin. */
  #isHeldBack = false;
  /** Bytes of the last chunk behind it. */
  #untaken = 0;
  /** What is handed over belongs to a turn that has begun. */
  #isResuming = false;
  #isWaitingForDrain = false;
  #isAskerDone = false;
  #isOver = false;

  constructor(stream: Stream, handler: RequestHandler, options: ServeOptions & { memory: MemoryHold }) {
    const { memory } = options;
    const compressors = agreedCompressors(stream, options.compressors ?? []);
    const body = new BodyAssembler(options, memory, {
      onBody: (kind, id, { bytes, held }) => this.#onBody(kind, id, bytes, held),
      onSkipped: (kind, id) => this.#onSkipped(kind, id),
    });
    this.#turn = new WorkTurn(stream.connection, () => {
      this.#startNext();
      this.#pace();
    });
    this.#memory = memory;
    this.#stream = stream;
    this.#handler = handler;
    this.#maxPending = options.maxPending ?? 256;
    this.#maxBodyLength = body.maxLength;
    this.#writer = new MessageWriter(stream, compressors[0]);
    this.#reader = new MessageReader(body.onFrame.bind(body), compressors, {
      memory,
      onSkipped: body.onSkippedFrame.bind(body),
      isWanted: () => body.isWanted,
      isBorrowing: true,
      mayBegin: (header) => this.#mayBegin(header),
    });
    memory.follow({
      unfinished: () => body.heldBytes + this.#reader.heldBytes,
      arrived: () => this.#reader.arrived,
      isReading: () => !this.#isWaitingForDrain,
      sent: () => this.#writer.sent,
      drop: () => {
        body.clear();
        this.#reader.clear();
      },
    });
  }

  start(): void {
    this.#stream.receive({
      isBorrowing: true,
      onData: (chunk) => {
        if (!this.#isResuming) this.#turn.begin();
        this.#read(chunk);
        this.#pace();
      },
      untaken: () => this.#untaken,
      onEnd: () => {
        this.#isAskerDone = true;
        this.#closeWhenDone();
      },
      onAbandoned: (error) => {
        // Nobody hears the answers of what is still to be read.
        this.#end(error);
        this.#stream.reset();
      },
      onReset: (error) => this.#end(error),
    });
  }

  /** The stream is over: no request begins any more. */
  #end(error: Error): void {
    this.#isOver = true;
    this.#memory.release();
    for (const { end } of this.#pending.values()) end?.abort(error);
    this.#pending.clear();
    this.#waiting = [];
  }

  #read(chunk: Uint8Array): void {
    this.#isHeldBack = false;
    this.#untaken = 0;
    try {
      this.#untaken = chunk.length - this.#reader.push(chunk);
    } catch (error) {
      const isOverBudget = error instanceof TransportError && error.code === 'LIMIT_EXCEEDED';
      this.#stream.reset(isOverBudget ? ResetCode.overBudget : ResetCode.protocolError);
    }
  }

  get #hasRoom(): boolean {
    return this.#waiting.length < this.#maxPending;
  }

  /** Holds a frame back when the turn is over, and a request while enough of them wait: one that is given up is heard of until then. */
  #mayBegin({ kind }: MessageHeader): boolean {
    const mayWait = kind !== MessageKind.request || this.#hasRoom;
    this.#isHeldBack = this.#isOver || !(mayWait && this.#turn.step());
    return !this.#isHeldBack;
  }

  #onBody(kind: number, id: number, body: Uint8Array, held: number): void {
    if (kind === MessageKind.cancel) {
      this.#memory.give(held);
      const cancelled = this.#pending.get(id);
      if (cancelled === undefined) return;
      cancelled.isCancelled = true;
      cancelled.end?.abort(new TransportError('REQUEST_FAILED', 'The asker gave up.'));
      return;
    }
    if (kind !== MessageKind.request || this.#pending.has(id)) throw malformed('Not a new request.');
    if (!this.#memory.take(REQUEST_COST)) {
      this.#memory.give(held);
      this.#onSkipped(kind, id);
      return;
    }
    const asked = { id, body, held: held + REQUEST_COST, end: undefined, isCancelled: false };
    this.#pending.set(id, asked);
    this.#waiting.push(asked);
    this.#startNext();
  }

  /** There is no memory for the request. That is said as long as it is listened to; who does not listen loses the stream. */
  #onSkipped(kind: number, id: number): void {
    if (kind !== MessageKind.request || this.#pending.has(id)) throw malformed('Not a new request.');
    if (!this.#writer.hasRoomFor(0)) throw overBudget();
    this.#writer.message({ kind: MessageKind.failure, id }, failure(ResetCode.overBudget).body);
  }

  #startNext(): void {
    while (this.#running < this.#maxPending && !this.#turn.isOver) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#turn.step();
      this.#running += 1;
      void this.#answer(next, this.#run(next)).then(() => {
        this.#running -= 1;
        this.#startNext();
        this.#pace();
        this.#closeWhenDone();
      });
    }
  }

  /** Never rejects: the asker must not be able to end the process. It has no part of the request, which would stay with an answer that waits. */
  async #answer(asked: Asked, work: Promise<Outcome | undefined>): Promise<void> {
    const { id } = asked;
    let outcome = await work;
    // The answer is held until it is sent; one that there is no memory for becomes a failure.
    const length = outcome?.body.length ?? 0;
    const isHeld = this.#memory.take(length);
    if (!isHeld) outcome = failure(ResetCode.overBudget);
    try {
      // Answers that the asker does not read wait here, and keep their places.
      const isWanted = (): boolean => this.#isWanted(asked);
      if (outcome) await this.#writer.messageInTurn({ kind: outcome.kind, id }, outcome.body, isWanted);
    } catch {
      // The stream has failed, or was reset because of this answer.
    }
    this.#pending.delete(id);
    if (isHeld) this.#giveWhenSent(length);
  }

  #isWanted({ id, isCancelled }: Asked): boolean {
    return this.#pending.has(id) && !isCancelled;
  }

  #giveWhenSent(bytes: number): void {
    const give = (): void => this.#memory.give(bytes);
    if (this.#stream.queuedBytes === 0) give();
    else this.#stream.drained().then(give, give);
  }

  /** Has the request answered. Its bytes count until then, also when the stream has ended: its handler has them. */
  async #run(asked: Asked): Promise<Outcome | undefined> {
    const { body, held } = asked;
    asked.body = undefined;
    if (body === undefined || !this.#isWanted(asked)) {
      this.#memory.give(held);
      return undefined;
    }
    const end = new RequestEnd();
    asked.end = end;
    const lent = this.#memory.lend(held);
    try {
      const answer = await this.#handler(body, end.contextOf(this.#stream));
      const isTooLarge = answer.length > this.#maxBodyLength;
      return isTooLarge ? failure(ResetCode.internal) : { kind: MessageKind.response, body: answer };
    } catch (error) {
      const code = error instanceof TransportError ? error.resetCode : undefined;
      return failure(code ?? ResetCode.internal);
    } finally {
      this.#memory.returnLent(lent);
    }
  }

  /** Reads no more requests than may be worked on and wait, and none while answers are not taken. */
  #pace(): void {
    if (this.#stream.queuedBytes > 0 && !this.#isWaitingForDrain) {
      this.#isWaitingForDrain = true;
      const onDrained = (): void => {
        this.#isWaitingForDrain = false;
        this.#pace();
      };
      this.#stream.drained().then(onDrained, () => undefined);
    }
    if (this.#isOver) return;
    const mayRead = !this.#isWaitingForDrain && !this.#turn.isOver && (!this.#isHeldBack || this.#hasRoom);
    if (mayRead) this.#readOn();
    else this.#stream.pause();
  }

  #readOn(): void {
    const outer = this.#isResuming;
    this.#isResuming = true;
    // The frame may have been the last of what has come.
    if (this.#isHeldBack) this.#read(NOTHING);
    if (!this.#isHeldBack) this.#stream.resume();
    this.#isResuming = outer;
  }

  #closeWhenDone(): void {
    if (!this.#isAskerDone || this.#pending.size > 0) return;
    const release = (): void => this.#memory.release();
    this.#stream.closeWrite().then(release, release);
  }
}
