import { type FrameHandler, readFrames } from './frame-reader.ts';

/** Milliseconds of work after which the rest of a record waits for another turn: it may hold six thousand frames. */
const TURN = 0.25;
/** The clock is looked at once for so many frames: those of bulk data are few. */
const FRAMES_A_LOOK = 32;
/** Records up to this size may share a buffer, which is much larger. */
const SMALL = 1024;

/** Reads the frames of a record, in several turns where the connection takes turns with others. */
export class RecordReader {
  readonly #handler: FrameHandler;
  readonly #takesTurns: boolean;
  /** Bytes of the record share their buffer with other records: who keeps some copies them. */
  isShared = false;
  /** Somebody holds bytes of the record. */
  #isKept = false;
  #frames = 0;
  #turnEnds: number | undefined;
  #isStopped = false;
  /** What this turn had no time for. */
  #rest: Uint8Array | undefined;

  constructor(handler: FrameHandler, takesTurns: boolean) {
    this.#handler = handler;
    this.#takesTurns = takesTurns;
  }

  get hasRest(): boolean {
    return this.#rest !== undefined;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  get isTurnOver(): boolean {
    if (!this.#takesTurns) return false;
    const now = performance.now();
    this.#turnEnds ??= now + TURN;
    return now >= this.#turnEnds;
  }

  beginTurn(): void {
    this.#frames = 0;
    this.#turnEnds = undefined;
  }

  /** Counts a frame. */
  isOverAfterFrame(): boolean {
    return ++this.#frames % FRAMES_A_LOOK === 0 && this.isTurnOver;
  }

  /** Nothing more is wanted. */
  stop(): void {
    this.#isStopped = true;
    this.#rest = undefined;
  }

  /** The bytes of the record are held by somebody. */
  keep(): void {
    this.#isKept = true;
  }

  /** @returns whether its bytes are kept by somebody, or still to be read. @throws what the handler throws */
  read(record: Uint8Array): boolean {
    this.isShared = record.length <= SMALL && record.buffer.byteLength > 2 * SMALL;
    this.#isKept = false;
    return this.#read(record);
  }

  /** Goes on with a record. @returns and throws as `read` */
  readRest(): boolean {
    const rest = this.#rest;
    this.#rest = undefined;
    return rest === undefined || this.#read(rest);
  }

  #read(bytes: Uint8Array): boolean {
    const end = readFrames(bytes, this.#handler);
    if (end < bytes.length && !this.#isStopped) this.#rest = bytes.subarray(end);
    return this.#isKept || this.#rest !== undefined;
  }
}
