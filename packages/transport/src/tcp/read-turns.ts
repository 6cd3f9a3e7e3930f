import type { ByteConnectionHandler } from '../byte-connection.ts';
import { behindTurn } from '../time/event-loop.ts';
import { BusyPoll } from './busy-poll.ts';

/** Bytes that a source is given at once, the least first; the most is what a busy socket has waiting on a fast network: fewer, larger reads. */
export const READ_SIZES: readonly number[] = [4, 16, 64, 256].map((kilobytes) => kilobytes * 1024);
/** While nothing is known of what they cost. */
export const FIRST_READ: number = READ_SIZES[1]!;
const LEAST_READ = READ_SIZES[0]!;
const MOST_READ = READ_SIZES.at(-1)!;

/** Milliseconds of work after which a source that is alone waits for its next turn, so that timers and newcomers have theirs. */
const LONG_TURN = 2;
/** The same while others have something to read: what each of them waits for at the most. */
const SHORT_TURN = 0.3;
/** Others have something to read when one of them has read within so many milliseconds. */
const COMPANY = 100;
/** Work below which nothing is counted, so that a peer of small messages costs no marks. */
const NOTEWORTHY = 0.1;
/** Milliseconds without a read after which nobody had anything to read. */
const GAP = 0.05;

/** Something that reads for a peer, and whose work is counted. */
export interface TurnTaker {
  /** Bytes that it should take at once; {@link FIRST_READ} to begin with: a peer shows first that its bytes are cheap. */
  readSize: number;
  /** Its turn has come again. */
  goOn(): void;
}

/** Who works on what a source has read. */
export type TurnWorker = Pick<ByteConnectionHandler, 'hasWork' | 'onTurn'>;

/**
 * Sees to it that the sources of one event loop take turns by time: libuv reads a socket up to 32 times in a row, and a read may hold
 * twelve thousand frames, so that a peer whose bytes cost much would hold all others up. Bulk data costs little and is hardly ever stopped.
 */
export class ReadTurns {
  readonly #poll: BusyPoll | undefined;
  #last: TurnTaker | undefined;
  /** When another source read than before. */
  #changedAt: number = Number.NEGATIVE_INFINITY;
  #endedAt = 0;
  /** Milliseconds of the last source in this turn of the loop, and of all. */
  #spent = 0;
  #spentByAll = 0;
  /** This turn of the event loop is marked: its end will be known. */
  #isMarked = false;
  readonly #waiting: TurnTaker[] = [];
  readonly #onTurn = (): void => this.#turn();

  /** @param isPolling - whether the event loop stays awake between the messages of a quick exchange */
  constructor(isPolling = true) {
    this.#poll = isPolling ? new BusyPoll() : undefined;
  }

  /**
   * Counts a read and adapts the source's `readSize`.
   *
   * @param started - `performance.now()` when its work began
   * @returns false when the source has to stop; its `goOn` is called when its turn has come
   */
  end(source: TurnTaker, bytes: number, started: number): boolean {
    const now = performance.now();
    const elapsed = now - started;
    this.#poll?.onRead(source === this.#last, started, now);
    this.#count(source, started, elapsed);
    this.#endedAt = now;
    const turn = now - this.#changedAt < COMPANY ? SHORT_TURN : LONG_TURN;
    if (elapsed > turn) source.readSize = Math.max(LEAST_READ, source.readSize / 4);
    else if (bytes >= source.readSize && elapsed * 4 < turn)
      source.readSize = Math.min(MOST_READ, source.readSize * 4);
    if (this.#spent < NOTEWORTHY) return true;
    this.#mark();
    // Many of them that each stay below a turn are as bad as one that does not.
    if (this.#spent < turn && (this.#spentByAll < turn || this.#spent * 8 < turn)) return true;
    this.#waiting.push(source);
    return false;
  }

  /**
   * Lets a source's handler do what it put off.
   *
   * @returns false when the source has to stop, as from `end`
   */
  work(source: TurnTaker, handler: TurnWorker | undefined): boolean {
    while (handler?.hasWork === true) {
      const started = performance.now();
      handler.onTurn?.();
      if (!this.end(source, 0, started)) return false;
    }
    return true;
  }

  /** The source is gone. */
  forget(source: TurnTaker): void {
    if (this.#last === source) this.#last = undefined;
  }

  #count(source: TurnTaker, started: number, elapsed: number): void {
    const pause = started - this.#endedAt;
    if (!this.#isMarked && pause > GAP) {
      this.#spent = 0;
      this.#spentByAll = 0;
    }
    if (source !== this.#last) {
      if (this.#last !== undefined) this.#changedAt = started;
      this.#last = source;
      this.#spent = 0;
    } else if (this.#isMarked) {
      // Promises that the read before has settled: this turn of the loop is not over.
      this.#spent += pause;
      this.#spentByAll += pause;
    }
    this.#spent += elapsed;
    this.#spentByAll += elapsed;
  }

  /** Everybody who had something to read in this turn of the loop has read: one of those who wait goes on in the next. */
  #turn(): void {
    this.#isMarked = false;
    this.#spent = 0;
    this.#spentByAll = 0;
    this.#waiting.shift()?.goOn();
    if (this.#waiting.length > 0) this.#mark();
  }

  #mark(): void {
    if (this.#isMarked) return;
    this.#isMarked = true;
    behindTurn(this.#onTurn);
  }
}
