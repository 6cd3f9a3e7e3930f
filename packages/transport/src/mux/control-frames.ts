import { TokenBucket } from '../token-bucket.ts';
import { FrameType, HEADER_LENGTH } from './frames.ts';
import { Pinger } from './pinger.ts';
import type { WindowHost } from './receive-windows.ts';
import type { SendScheduler } from './send-scheduler.ts';
import { floodError } from './wire-errors.ts';

/** Answers that may pile up behind a socket that takes nothing before the remote side is taken for hostile, in bytes. */
const MAX_BLOCKED_ANSWERS = 1024 * 1024;

/** Frames that this side sends beside data, and the bounds on what the remote side can make it send and do, NZ-WIRE-01 §10. */
export class ControlFrames implements WindowHost {
  readonly #out: SendScheduler;
  readonly #clock: { now(): number };
  #pinger: Pinger | undefined;
  /** An honest peer cancels what it opened now and then, and all of it at once at the worst. */
  #resets: TokenBucket | undefined;
  /** An honest peer knows the limit, but for streams whose end is on its way. */
  #refusals: TokenBucket | undefined;
  #blockedAnswers = 0;

  constructor(out: SendScheduler, clock: { now(): number }) {
    this.#out = out;
    this.#clock = clock;
  }

  get pinger(): Pinger {
    this.#pinger ??= new Pinger({
      now: () => this.now(),
      send: (id) => this.#numbers(FrameType.ping, 0, 0, id),
    });
    return this.#pinger;
  }

  now(): number {
    return this.#clock.now();
  }

  roundTrip(): number | undefined {
    return this.pinger.roundTripForTuning();
  }

  grant(stream: number, size: number): void {
    this.#numbers(FrameType.window, stream, size);
  }

  goAway(lastStream: number, code: number): void {
    this.#numbers(FrameType.goAway, 0, lastStream, code);
  }

  fin(stream: number): void {
    this.#out.frames.empty(FrameType.fin, stream);
    this.#out.scheduleFlush();
  }

  finAck(stream: number): void {
    this.#countAnswer(HEADER_LENGTH);
    this.#out.frames.empty(FrameType.finAck, stream);
    this.#out.scheduleFlush();
  }

  reset(stream: number, code: number): void {
    this.#countAnswer(HEADER_LENGTH + 4);
    this.#numbers(FrameType.reset, stream, code);
  }

  /** @throws TransportError `FLOOD` */
  pong(high: number, low: number): void {
    if (!this.pinger.mayAnswer()) throw floodError('Too many pings.');
    this.#countAnswer(HEADER_LENGTH + 8);
    this.#numbers(FrameType.pong, 0, high, low);
  }

  /** The remote side reset a stream of its own, or there is no memory for one. @throws TransportError `FLOOD` */
  countReset(burst: number): void {
    this.#resets ??= new TokenBucket(burst, 1000);
    if (!this.#resets.take(() => this.now())) throw floodError('Too many streams were opened and reset.');
  }

  /** A stream of the remote side is not served. @throws TransportError `FLOOD` */
  countRefusal(): void {
    this.#refusals ??= new TokenBucket(1000, 100);
    if (!this.#refusals.take(() => this.now())) throw floodError('Too many streams were opened.');
  }

  /** @throws TransportError `FLOOD` when a peer makes this side answer and does not read the answers. */
  assertAnswersAreRead(): void {
    if (this.#blockedAnswers > MAX_BLOCKED_ANSWERS) throw floodError('Answers are not being read.');
  }

  /** The socket takes more again. */
  onDrain(): void {
    this.#blockedAnswers = 0;
  }

  fail(error: Error): void {
    this.#pinger?.fail(error);
  }

  #numbers(type: number, stream: number, first: number, second?: number): void {
    this.#out.frames.numbers(type, stream, first, second);
    this.#out.scheduleFlush();
  }

  #countAnswer(size: number): void {
    if (this.#out.isBlocked) this.#blockedAnswers += size;
  }
}
