import { createRemoteError, type TransportError } from '../errors.ts';
import { ResetCode } from '../mux/frames.ts';
import { MuxStream } from '../mux/mux-stream.ts';
import type { Stream } from '../mux/stream.ts';
import type { HeldMemory, Line, MemoryBudget, MessageMemory } from './memory-budget.ts';

/** What may be held at any pace, in bytes; and what has to come or leave between two looks where it is more. */
const SMALL_MESSAGE = 64 * 1024;
const LEAST_PROGRESS = 4 * 1024;

/** Looks without progress that are too many: 30 s, as long as a request waits for its answer. */
const LATE_LOOKS = 3;
/** Five minutes for what leaves: credit comes back in steps of half a window, 512 KiB and more, which take 260 s on a line of 2 KiB/s. */
const STUCK_LOOKS = 30;
/** Streams that wait for a line take turns of so many bytes (NZ-WIRE-01 §5.9). */
const TURN = 16 * 1024;

/** What a look at one direction of a stream shows. */
interface Sight {
  /** The other side could go on. */
  readonly isDue: boolean;
  /** Bytes that are progress. */
  readonly least: number;
  /** Bytes that the stream has carried so far, and its connection. */
  readonly own: number;
  readonly all: number;
  /** Of the connection. */
  readonly streams: number;
}

/** How long one direction of a stream has made no progress. */
class Pace {
  /** Looks since the last progress, but those at which it cannot have been the stream's turn. */
  looks = 0;
  /** What the stream had carried at the last progress, and what its connection had. */
  #own = 0;
  #atProgress = 0;
  #atLastLook = 0;

  look({ isDue, least, own, all, streams }: Sight): void {
    const isMoving = all - this.#atLastLook >= LEAST_PROGRESS;
    this.#atLastLook = all;
    if (!isDue || own - this.#own >= least) {
      this.#own = own;
      this.#atProgress = all;
      this.looks = 0;
    } else if (!isMoving || all - this.#atProgress >= streams * TURN) this.looks++;
  }
}

/** What a hold asks about the messages that it is for. */
export interface MessageProgress {
  /** Bytes held of those that have not arrived whole. @defaultValue all that is held */
  readonly unfinished?: () => number;
  /** Bytes of messages that have come so far. */
  readonly arrived: () => number;
  /** Nothing but more of the message is waited for. @defaultValue true */
  readonly isReading?: () => boolean;
  /** Bytes of answers that have left so far, where answers count. */
  readonly sent?: () => number;
  /** Nobody will ask for the unfinished ones again. */
  readonly drop?: () => void;
}

/** What one stream holds of its connection's budget. After `release` everything is given back, and nothing is taken any more. */
export class MemoryHold implements MemoryBudget, HeldMemory {
  readonly #stream: Stream;
  readonly #memory: MessageMemory;
  readonly #isCounted: boolean;
  #progress: MessageProgress | undefined;
  #used = 0;
  #isReleased = false;
  readonly #arriving = new Pace();
  readonly #leaving = new Pace();

  private constructor(stream: Stream, memory: MessageMemory, isCounted: boolean) {
    this.#stream = stream;
    this.#memory = memory;
    this.#isCounted = isCounted;
  }

  /** Undefined when the peer has too many streams of this kind; those that this side opened are its own choice. */
  static open(stream: Stream): MemoryHold | undefined {
    const memory = stream.connection.messageMemory;
    const isCounted = stream.direction === 'inbound';
    return isCounted && !memory.openStream() ? undefined : new MemoryHold(stream, memory, isCounted);
  }

  /** Says whom to ask about progress. */
  follow(progress: MessageProgress): void {
    this.#progress = progress;
    // Answers are held until they have left.
    if (progress.sent !== undefined && this.#stream instanceof MuxStream) this.#stream.countQueueElsewhere();
  }

  get used(): number {
    return this.#used;
  }

  get unfinished(): number {
    return Math.min(this.#used, this.#unfinishedBytes + this.#untakenBytes);
  }

  get slowness(): number {
    return Math.max(this.#arriving.looks / LATE_LOOKS, this.#leaving.looks / STUCK_LOOKS);
  }

  take(bytes: number): boolean {
    if (this.#isReleased) return true;
    if (!this.#memory.take(bytes)) return false;
    // Who gave way to it may have ended this stream with its own.
    if (this.#isReleased) this.#memory.give(bytes);
    else this.#change(bytes);
    return true;
  }

  /**
   * Takes bytes out of the hold without giving them back: somebody works on them, and has them in memory whatever becomes of the stream.
   *
   * @returns what to give to `returnLent` when that is done
   */
  lend(bytes: number): number {
    if (this.#isReleased) return 0;
    this.#change(-bytes);
    return bytes;
  }

  returnLent(bytes: number): void {
    this.#memory.give(bytes);
  }

  give(bytes: number): void {
    if (this.#isReleased) return;
    this.#change(-bytes);
    this.#memory.give(bytes);
  }

  look({ received, sent, streams }: Line): void {
    const least = this.#used > SMALL_MESSAGE ? LEAST_PROGRESS : 1;
    const progress = this.#progress;
    const isReading = progress?.isReading?.() ?? true;
    const isDue = this.#unfinishedBytes > 0 && isReading;
    const [arrived, left] = [progress?.arrived() ?? 0, progress?.sent?.() ?? 0];
    this.#arriving.look({ isDue, least, own: arrived, all: received, streams });
    this.#leaving.look({ isDue: this.#untakenBytes > 0, least, own: left, all: sent, streams });
  }

  evict(code: number): void {
    this.#stream.reset(code);
    this.release();
  }

  /** The stream is over. Idempotent. */
  release(): void {
    if (this.#isReleased) return;
    this.give(this.#used);
    this.#isReleased = true;
    this.#progress?.drop?.();
    if (this.#isCounted) this.#memory.closeStream();
  }

  get #unfinishedBytes(): number {
    return this.#progress?.unfinished?.() ?? this.#used;
  }

  /** Bytes of answers that nobody has taken. */
  get #untakenBytes(): number {
    return this.#progress?.sent === undefined ? 0 : this.#stream.queuedBytes;
  }

  #change(bytes: number): void {
    const before = this.#used;
    this.#used += bytes;
    if (before === 0 && this.#used > 0) this.#memory.watch(this);
    else if (before > 0 && this.#used === 0) this.#memory.unwatch(this);
  }
}

/** The answer to who wants more of a budget than there is. */
export function overBudget(): TransportError {
  return createRemoteError('LIMIT_EXCEEDED', 'Too many bytes of messages are held for the peer.', {
    resetCode: ResetCode.overBudget,
  });
}
