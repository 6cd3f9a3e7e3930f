import { ResetCode } from './frames.ts';
import type { MuxBudget } from './mux-host.ts';
import type { MuxStream } from './mux-stream.ts';
import type { StreamTable } from './stream-table.ts';

/** What costs nothing of the budget: a chunk on its way to its reader, and one that waits to leave. */
const FREE_BYTES = 128 * 1024;
/** The rest is counted in steps, and given back when it is some steps less: bytes that only pass cost an addition. */
const STEP = 64 * 1024;
const SLACK = 4 * STEP;

/** Bytes that are progress between two looks, and looks without it that make a stream half as slow as can be. */
const LEAST_PROGRESS = 4 * 1024;
const LATE_LOOKS = 3;

/** What a stream had carried at the last look, and for how many looks that has been too little. */
interface Mark {
  moved: number;
  looks: number;
}

/**
 * Bytes that a connection holds of its streams: those that nobody has read, and those that wait to leave on streams of the remote side.
 * They are counted in the memory that all connections share. Where that has no room for more, the streams that make the least progress end.
 */
export class HeldBytes {
  readonly #streams: StreamTable;
  readonly #budget: MuxBudget;
  #bytes = 0;
  /** Of them counted in the budget, in whole steps. */
  #counted = 0;
  #most = FREE_BYTES;
  #least = 0;
  #isSettling = false;
  #isStopped = false;
  #marks: Map<MuxStream, Mark> | undefined;
  /** Streams that are over, and not read to their end. */
  #over: Set<MuxStream> | undefined;

  constructor(streams: StreamTable, budget: MuxBudget) {
    this.#streams = streams;
    this.#budget = budget;
  }

  /** So much is held of the memory that is shared, by all, that no window should become larger. */
  get isScarce(): boolean {
    return this.#budget.isScarce;
  }

  /** Bytes that are held from now on, or, below 0, no more. */
  add(size: number): void {
    this.#bytes += size;
    if (this.#bytes > this.#most || this.#bytes < this.#least) this.#settle();
  }

  /** A stream is over: what had arrived of it whole can still be read, and so be given up. */
  keep(stream: MuxStream): void {
    if (stream.unreadBytes === 0 || this.#isStopped) return;
    this.#over ??= new Set();
    this.#over.add(stream);
  }

  /** Something of a stream that is over was read, or dropped. */
  forget(stream: MuxStream): void {
    if (stream.unreadBytes === 0) this.#over?.delete(stream);
  }

  /** The connection is over: what had arrived whole is the application's. */
  stop(): void {
    this.#isStopped = true;
    this.#marks = undefined;
    this.#over = undefined;
    if (this.#counted > 0) this.#budget.cover(0);
    this.#counted = 0;
  }

  // What follows is called by the budget, while something is counted.

  /** Bytes that can be given up. */
  get unfinished(): number {
    if (this.#counted === 0) return 0;
    return this.#all().reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  /** Of the slowest stream, below 1: however slow it is, it ends only for who needs its memory. */
  get slowness(): number {
    let looks = 0;
    for (const mark of this.#marks?.values() ?? []) looks = Math.max(looks, mark.looks);
    return looks / (looks + LATE_LOOKS);
  }

  look(): void {
    const marks = new Map<MuxStream, Mark>();
    for (const stream of this.#all()) {
      if (stream.heldBytes === 0) continue;
      const mark = this.#marks?.get(stream) ?? { moved: stream.moved - LEAST_PROGRESS, looks: 0 };
      const isMoving = Math.abs(stream.moved - mark.moved) >= LEAST_PROGRESS;
      marks.set(
        stream,
        isMoving ? { moved: stream.moved, looks: 0 } : { moved: mark.moved, looks: mark.looks + 1 },
      );
    }
    this.#marks = marks;
  }

  /** Somebody else needs the memory. */
  evict(): void {
    this.#end();
    this.#count(this.#wanted);
  }

  #all(): MuxStream[] {
    const streams = this.#streams.all();
    return this.#over === undefined ? streams : [...streams, ...this.#over];
  }

  get #wanted(): number {
    return Math.max(0, Math.ceil((this.#bytes - FREE_BYTES) / STEP)) * STEP;
  }

  #settle(): void {
    // Whoever gives way to this connection may have it hold more or less on the way.
    if (this.#isSettling || this.#isStopped) return;
    this.#isSettling = true;
    while (this.#bytes > this.#most || this.#bytes < this.#least) {
      if (this.#count(this.#wanted)) continue;
      if (this.#end()) continue;
      this.#most = this.#bytes + STEP;
    }
    this.#isSettling = false;
  }

  /** @returns false when there is no room: as much is counted as before */
  #count(bytes: number): boolean {
    if (bytes !== this.#counted && !this.#budget.cover(bytes)) return false;
    if (this.#isStopped) {
      // It ended while others gave way to it.
      this.#budget.cover(0);
      this.#most = Number.POSITIVE_INFINITY;
      this.#least = Number.NEGATIVE_INFINITY;
      return true;
    }
    this.#counted = bytes;
    this.#most = FREE_BYTES + bytes;
    this.#least = bytes === 0 ? 0 : Math.max(FREE_BYTES / 2, this.#most - SLACK);
    if (bytes === 0) this.#marks = undefined;
    return true;
  }

  /**
   * Ends streams without progress, the largest of them, until an eighth of what is held is free: neither giving much back nor small frames
   * that come when nothing is left may take many looks at all streams.
   *
   * @returns false when there are none
   */
  #end(): boolean {
    const bytes = Math.max(STEP, this.#bytes / 8);
    const streams = this.#all();
    const looksOf = (stream: MuxStream): number => this.#marks?.get(stream)?.looks ?? 0;
    let worst: MuxStream | undefined;
    for (const stream of streams) {
      if (stream.heldBytes === 0) continue;
      const more = worst === undefined ? 1 : looksOf(stream) - looksOf(worst);
      if (more > 0 || (more === 0 && stream.heldBytes > worst!.heldBytes)) worst = stream;
    }
    if (worst === undefined) return false;
    const [size, looks] = [worst.heldBytes, looksOf(worst)];
    let ended = size;
    worst.reset(ResetCode.memory);
    // In the same pass those that are nearly as bad.
    for (const stream of streams) {
      if (ended >= bytes) break;
      const held = stream.heldBytes;
      if (held * 2 < size || looksOf(stream) < looks) continue;
      ended += held;
      stream.reset(ResetCode.memory);
    }
    return true;
  }
}
