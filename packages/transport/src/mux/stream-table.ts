import { putOff } from '../time/turns.ts';
import type { MuxStream } from './mux-stream.ts';
import { protocolError } from './wire-errors.ts';

/** Streams of a connection that fail when it ends, and of the others in each turn of the event loop: a quarter of a millisecond of work. */
const FAILED_AT_ONCE = 64;
const FAILED_A_TURN = 32;

/** The largest stream number. */
const MAX_STREAM_ID = 0xffff_ffff;

/** The streams of a connection that are open, and which numbers have been given, NZ-WIRE-01 §3. */
export class StreamTable {
  /** One stream beside a map for the others: an idle connection and one of a stream at a time have no map. */
  #one: MuxStream | undefined;
  #others: Map<number, MuxStream> | undefined;
  readonly #isInitiator: boolean;
  #nextId: number;
  #lastRemoteId: number;
  #inbound = 0;
  #opened = 0;
  #accepted = 0;

  constructor(isInitiator: boolean) {
    this.#isInitiator = isInitiator;
    this.#nextId = isInitiator ? 1 : 2;
    this.#lastRemoteId = isInitiator ? 0 : -1;
  }

  get size(): number {
    const others = this.#others?.size ?? 0;
    return this.#one === undefined ? others : others + 1;
  }

  /** Open streams that the remote side opened. */
  get inbound(): number {
    return this.#inbound;
  }

  /** Open streams that this side opened. */
  get outbound(): number {
    return this.size - this.#inbound;
  }

  /** Streams that this side has opened so far. */
  get opened(): number {
    return this.#opened;
  }

  /** Streams of the remote side that were served so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Number of this side's next stream. */
  get nextId(): number {
    return this.#nextId;
  }

  get isExhausted(): boolean {
    return this.#nextId > MAX_STREAM_ID;
  }

  /** Number of the last stream that the remote side opened; 0 when there was none. */
  get lastRemoteId(): number {
    return Math.max(0, this.#lastRemoteId);
  }

  /**
   * A stream that is open. Frames of one that is over are still on their way: undefined.
   * @throws TransportError `PROTOCOL_ERROR` for a stream that was never opened.
   */
  find(id: number): MuxStream | undefined {
    const stream = this.#one?.id === id ? this.#one : this.#others?.get(id);
    if (stream === undefined) this.#assertWasOpened(id);
    return stream;
  }

  /** A copy, so that streams may end while it is walked. */
  all(): MuxStream[] {
    const others = [...(this.#others?.values() ?? [])];
    return this.#one === undefined ? others : [this.#one, ...others];
  }

  /** This side's streams with higher numbers; a copy as well. */
  ownAfter(id: number): MuxStream[] {
    return this.all().filter((stream) => stream.direction === 'outbound' && stream.id > id);
  }

  /** Takes this side's next stream, which has the number {@link nextId}. */
  addOwn(stream: MuxStream): void {
    this.#nextId += 2;
    this.#opened += 1;
    this.#add(stream);
  }

  /** The remote side opens a stream. @throws TransportError `PROTOCOL_ERROR` when it is another number's turn. */
  useRemoteId(id: number): void {
    if (id !== this.#lastRemoteId + 2) throw protocolError('OPEN with a stream number out of order.');
    this.#lastRemoteId = id;
  }

  addRemote(stream: MuxStream): void {
    this.#inbound += 1;
    this.#accepted += 1;
    this.#add(stream);
  }

  /** @returns false when it was not in the table any more. */
  delete(stream: MuxStream): boolean {
    if (this.#one === stream) this.#one = undefined;
    else if (this.#others?.delete(stream.id) !== true) return false;
    else if (this.#others.size === 0) this.#others = undefined;
    if (stream.direction === 'inbound') this.#inbound -= 1;
    return true;
  }

  /**
   * Ends the last streams that the remote side opened: first those that have never carried anything, then the others, whose handlers may
   * be at work.
   */
  endNewest(count: number, code: number): void {
    const inbound = this.all().filter((stream) => stream.direction === 'inbound');
    const isUsed = ({ moved, heldBytes }: MuxStream): boolean => moved !== 0 || heldBytes > 0;
    inbound.sort((a, b) => Number(isUsed(b)) - Number(isUsed(a)) || a.id - b.id);
    for (const stream of inbound.slice(-count)) stream.reset(code);
  }

  /** Fails all streams: the first at once, the others in turns, for each settles what its handler waits for. */
  failAll(error: Error): void {
    const streams = this.all();
    // None of them is to look alive until its turn.
    for (const stream of streams) stream.failure ??= error;
    let failed = 0;
    const failSome = (count: number): void => {
      const end = Math.min(streams.length, failed + count);
      while (failed < end) streams[failed++]!.fail(error);
      if (failed < streams.length) putOff(this, () => failSome(FAILED_A_TURN));
    };
    failSome(FAILED_AT_ONCE);
  }

  #add(stream: MuxStream): void {
    if (this.#one === undefined) {
      this.#one = stream;
      return;
    }
    this.#others ??= new Map();
    this.#others.set(stream.id, stream);
  }

  #assertWasOpened(id: number): void {
    const isOwn = (id & 1) === (this.#isInitiator ? 1 : 0);
    const isKnown = id > 0 && (isOwn ? id < this.#nextId : id <= this.#lastRemoteId);
    if (!isKnown) throw protocolError('A frame for a stream that was never opened.');
  }
}
