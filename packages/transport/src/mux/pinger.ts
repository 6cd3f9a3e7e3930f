import { createDeferred, type Deferred } from '../deferred.ts';
import { TokenBucket } from '../token-bucket.ts';

/** A round trip older than this is measured again before a window is tuned by it, in milliseconds: routes change. */
const ROUND_TRIP_AGE = 10_000;

/** PINGs that are answered: far above what keep-alive and tuning need, far below what would cost anything. */
const ANSWERED_BURST = 2000;
const ANSWERED_PER_SECOND = 1000;

/** Own PINGs stay under the bound of an equal peer. */
const SENT_BURST = 500;
const SENT_PER_SECOND = 500;

export interface PingerOptions {
  readonly now: () => number;
  /** Sends a PING frame that carries the number. */
  readonly send: (id: number) => void;
}

/** Measures round trips: one PING at a time, shared by all who ask meanwhile. */
export class Pinger {
  readonly #now: () => number;
  readonly #send: (id: number) => void;
  readonly #answered = new TokenBucket(ANSWERED_BURST, ANSWERED_PER_SECOND);
  readonly #sent = new TokenBucket(SENT_BURST, SENT_PER_SECOND);
  #nextId = 0;
  #sentAt = 0;
  #isOutstanding = false;
  #waiting: Deferred<number> | undefined;
  #roundTrip: number | undefined;
  #measuredAt = 0;

  constructor(options: PingerOptions) {
    this.#now = options.now;
    this.#send = options.send;
  }

  /** Last round trip in milliseconds. */
  get roundTrip(): number | undefined {
    return this.#roundTrip;
  }

  /** The last round trip; a new measurement is begun when that is old. */
  roundTripForTuning(): number | undefined {
    if (this.#roundTrip === undefined || this.#now() - this.#measuredAt > ROUND_TRIP_AGE) this.#begin();
    return this.#roundTrip;
  }

  /** Resolves with a round trip. Asked more often than the other side answers, it is the last one. */
  ping(): Promise<number> {
    if (!this.#begin()) return Promise.resolve(this.#roundTrip ?? 0);
    this.#waiting ??= createDeferred<number>();
    return this.#waiting.promise;
  }

  /** A PONG; one that nobody waits for means nothing. */
  onPong(id: number): void {
    if (!this.#isOutstanding || id !== this.#nextId) return;
    this.#isOutstanding = false;
    this.#measuredAt = this.#now();
    this.#roundTrip = this.#measuredAt - this.#sentAt;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(this.#roundTrip);
  }

  /** Says whether one more PING of the remote side is answered. */
  mayAnswer(): boolean {
    return this.#answered.take(this.#now);
  }

  fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  /** @returns false when too many were sent. */
  #begin(): boolean {
    if (this.#isOutstanding) return true;
    if (!this.#sent.take(this.#now)) return false;
    this.#isOutstanding = true;
    this.#sentAt = this.#now();
    this.#nextId = (this.#nextId + 1) >>> 0;
    this.#send(this.#nextId);
    return true;
  }
}
