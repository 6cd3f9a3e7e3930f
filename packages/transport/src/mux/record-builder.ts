import { encodeHeader, FrameType, HEADER_LENGTH, MAX_FRAME_DATA, writeUint32 } from './frames.ts';

/** Room in a record beside whole DATA frames. */
const CONTROL_ROOM = 1024;

/** Plaintext of one record at most, unless less was negotiated: two whole DATA frames and 1 KiB of other frames, NZ-WIRE-01 §2. */
export const MAX_RECORD: number = 2 * MAX_FRAME_DATA + CONTROL_ROOM;

/** Most bytes that are gathered by copying: what is all in small pieces makes records of half the size, from half the memory. */
const MAX_COPIED = MAX_FRAME_DATA + CONTROL_ROOM;

/** Pieces from here on are not copied: below it a copy costs less than one more element in the corked write. */
export const COPY_BELOW: number = 8 * 1024;

/** Enough for the frames of most turns; larger records take a buffer that the collector may have back. */
const SMALL_BUFFER = 2048;

/** Small buffers between two uses, for all connections: an idle one holds none. As many as write in one turn on a busy server. */
const smallBuffers: Uint8Array[] = [];
const MAX_SMALL_BUFFERS = 64;

/** Takes the records that a {@link RecordBuilder} has made. */
export interface RecordTaker {
  /** The parts of one record, which the builder uses again when this returns. */
  takeRecord(parts: readonly Uint8Array[]): void;
}

/**
 * Gathers the frames of one tick into one record.
 *
 * Headers and small pieces are copied into a staging buffer, large pieces are referenced. Consecutive data of one stream
 * becomes one DATA frame.
 */
export class RecordBuilder {
  readonly #taker: RecordTaker;
  readonly #maxRecord: number;
  /** Most bytes of one DATA frame. */
  readonly maxData: number;
  /** A record that holds this much is sealed at once instead of at the end of the tick. */
  readonly #fullSize: number;
  #buffer: Uint8Array | undefined;
  #small: Uint8Array | undefined;
  #large: WeakRef<Uint8Array> | undefined;
  #used = 0;
  /** Where the part of the buffer begins that is not in `#parts` yet. */
  #partStart = 0;
  #parts: Uint8Array[] = [];
  /** Bytes in the record so far. */
  #size = 0;
  #isUrgent = false;
  /** Header of the DATA frame that the buffer ends with, which more data of its stream may extend; else -1. */
  #openFrame = -1;
  #openStream = 0;
  #openLength = 0;

  constructor(taker: RecordTaker, maxRecord: number = MAX_RECORD) {
    this.#taker = taker;
    this.#maxRecord = Math.min(maxRecord, MAX_RECORD);
    this.#fullSize = this.#maxRecord - CONTROL_ROOM;
    this.maxData = Math.min(MAX_FRAME_DATA, this.#fullSize);
  }

  /** Bytes that wait to be sealed. */
  get size(): number {
    return this.#size;
  }

  /** The record has more than what may as well wait for the end of the turn: FIN-ACKs and WINDOWs. */
  get isUrgent(): boolean {
    return this.#isUrgent;
  }

  /** A frame without payload. */
  empty(type: number, stream: number): void {
    const offset = this.#reserve(HEADER_LENGTH);
    if (type !== FrameType.finAck) this.#isUrgent = true;
    encodeHeader(this.#buffer!, offset, type, 0, stream);
    this.#sealIfFull();
  }

  /** A frame whose payload is 32-bit numbers. */
  numbers(type: number, stream: number, first: number, second?: number): void {
    const length = second === undefined ? 4 : 8;
    const offset = this.#reserve(HEADER_LENGTH + length);
    if (type !== FrameType.window) this.#isUrgent = true;
    const buffer = this.#buffer!;
    encodeHeader(buffer, offset, type, length, stream);
    writeUint32(buffer, offset + HEADER_LENGTH, first);
    if (second !== undefined) writeUint32(buffer, offset + HEADER_LENGTH + 4, second);
    this.#sealIfFull();
  }

  /** An OPEN frame with as much of `data` as is smaller than `COPY_BELOW`. `name` is a valid protocol name. */
  open(stream: number, name: string, data: Uint8Array | undefined): void {
    const dataLength = data?.length ?? 0;
    const length = 1 + name.length + dataLength;
    let offset = this.#reserve(HEADER_LENGTH + length);
    this.#isUrgent = true;
    const buffer = this.#buffer!;
    encodeHeader(buffer, offset, FrameType.open, length, stream);
    offset += HEADER_LENGTH;
    buffer[offset] = name.length;
    for (let i = 0; i < name.length; i += 1) buffer[offset + 1 + i] = name.charCodeAt(i);
    if (data !== undefined && dataLength > 0) buffer.set(data, offset + 1 + name.length);
    this.#sealIfFull();
  }

  /** Data of a stream, at most `maxData` bytes. */
  data(stream: number, bytes: Uint8Array): void {
    if (bytes.length < COPY_BELOW) this.#copyData(stream, bytes);
    else this.#referToData(stream, bytes);
    this.#isUrgent = true;
    this.#sealIfFull();
  }

  /** Ends the record and hands it over, if there is anything in it. */
  flush(): void {
    if (this.#size === 0) return;
    this.#cutPart();
    const parts = this.#parts;
    this.#size = 0;
    this.#used = 0;
    this.#partStart = 0;
    this.#openFrame = -1;
    this.#isUrgent = false;
    try {
      this.#taker.takeRecord(parts);
    } finally {
      parts.length = 0;
      this.#buffer = undefined;
      if (this.#small !== undefined && smallBuffers.length < MAX_SMALL_BUFFERS)
        smallBuffers.push(this.#small);
      this.#small = undefined;
    }
  }

  #copyData(stream: number, bytes: Uint8Array): void {
    if (this.#openFrame >= 0 && this.#openStream === stream && this.#extend(bytes)) return;
    const offset = this.#reserve(HEADER_LENGTH + bytes.length);
    const buffer = this.#buffer!;
    encodeHeader(buffer, offset, FrameType.data, bytes.length, stream);
    buffer.set(bytes, offset + HEADER_LENGTH);
    this.#openFrame = offset;
    this.#openStream = stream;
    this.#openLength = bytes.length;
  }

  #extend(bytes: Uint8Array): boolean {
    const length = this.#openLength + bytes.length;
    const end = this.#used + bytes.length;
    if (length > this.maxData || end > MAX_COPIED || this.#size + bytes.length > this.#maxRecord)
      return false;
    const buffer = end <= this.#buffer!.length ? this.#buffer! : this.#enlarge(bytes.length);
    buffer.set(bytes, this.#used);
    this.#used += bytes.length;
    this.#size += bytes.length;
    this.#openLength = length;
    const header = this.#openFrame;
    buffer[header + 1] = length >>> 16;
    buffer[header + 2] = length >>> 8;
    buffer[header + 3] = length;
    return true;
  }

  #referToData(stream: number, bytes: Uint8Array): void {
    if (this.#size + HEADER_LENGTH + bytes.length > this.#maxRecord) this.flush();
    const offset = this.#reserve(HEADER_LENGTH);
    encodeHeader(this.#buffer!, offset, FrameType.data, bytes.length, stream);
    this.#cutPart();
    this.#parts.push(bytes);
    this.#size += bytes.length;
  }

  /** Makes room for `length` bytes in the buffer and counts them as used. @returns where they begin. */
  #reserve(length: number): number {
    this.#openFrame = -1;
    if (this.#size + length > this.#maxRecord || this.#used + length > MAX_COPIED) this.flush();
    let buffer = this.#buffer;
    if (buffer === undefined || this.#used + length > buffer.length) buffer = this.#enlarge(length);
    const offset = this.#used;
    this.#used += length;
    this.#size += length;
    return offset;
  }

  #enlarge(length: number): Uint8Array {
    const small = this.#buffer;
    if (small === undefined && length <= SMALL_BUFFER) {
      this.#small = smallBuffers.pop() ?? new Uint8Array(SMALL_BUFFER);
      this.#buffer = this.#small;
      return this.#small;
    }
    let large = this.#large?.deref();
    if (large === undefined) {
      large = new Uint8Array(Math.min(this.#maxRecord, MAX_COPIED));
      this.#large = new WeakRef(large);
    }
    // What is in the small buffer and in no part yet moves, so that the record stays in one piece.
    if (small !== undefined) large.set(small.subarray(this.#partStart, this.#used));
    this.#used -= this.#partStart;
    this.#openFrame -= this.#partStart;
    this.#partStart = 0;
    this.#buffer = large;
    return large;
  }

  #cutPart(): void {
    if (this.#used === this.#partStart) return;
    this.#parts.push(this.#buffer!.subarray(this.#partStart, this.#used));
    this.#partStart = this.#used;
    this.#openFrame = -1;
  }

  #sealIfFull(): void {
    if (this.#size >= this.#fullSize || this.#used >= MAX_FRAME_DATA) this.flush();
  }
}
