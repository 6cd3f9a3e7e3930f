import { releaseChunks } from '@nzcore/crypto';
import { readUint24 } from '../mux/frames.ts';
import { malformed } from '../mux/wire-errors.ts';
import type { Compressor } from './compressor.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { overBudget } from './memory-hold.ts';
import {
  COMPRESSION_HEADER_LENGTH,
  decodeMessageHeader,
  MAX_MESSAGE_PAYLOAD,
  MESSAGE_HEADER_LENGTH,
  type MessageHeader,
} from './message-frames.ts';

/** Takes one frame; the payload is unpacked and belongs to the callee. */
export type OnMessageFrame = (header: MessageHeader, payload: Uint8Array) => void;

/** Where a reader keeps the part of a frame that has arrived. */
export interface ReaderMemory {
  /** @defaultValue as much as there is */
  readonly memory?: MemoryBudget;
  /** Takes note of a frame that there was no memory for. @defaultValue `push` throws `LIMIT_EXCEEDED` */
  readonly onSkipped?: (header: MessageHeader) => void;
  /** Asked before anything of a frame is kept: one that is not wanted is skipped, and goes to `onSkipped`. @defaultValue true */
  readonly isWanted?: () => boolean;
  /** What is pushed is only lent: a payload is always a copy. @defaultValue false */
  readonly isBorrowing?: boolean;
  /** Asked before anything of a frame's payload is taken: false stops `push` there. @defaultValue every frame may begin */
  readonly mayBegin?: (header: MessageHeader) => boolean;
}

const NOTHING = new Uint8Array(0);

/** Cuts the bytes of a stream into frames of the message layer. What it holds is at most twice what has arrived of one frame. */
export class MessageReader {
  readonly #onFrame: OnMessageFrame;
  readonly #compressors: readonly Compressor[];
  readonly #memory: MemoryBudget | undefined;
  readonly #onSkipped: ((header: MessageHeader) => void) | undefined;
  readonly #isWanted: (() => boolean) | undefined;
  readonly #isBorrowing: boolean;
  readonly #mayBegin: ((header: MessageHeader) => boolean) | undefined;
  /** There is no memory for the frame, or nobody wants it: what comes of it is dropped. */
  #isSkipping = false;
  readonly #headerBytes: Uint8Array = new Uint8Array(MESSAGE_HEADER_LENGTH);
  #headerFilled = 0;
  #header: MessageHeader | undefined;
  #payload: Uint8Array = NOTHING;
  #filled = 0;
  #arrived = 0;
  /** The frame before said that more of the same follows. */
  #unfinished: MessageHeader | undefined;

  constructor(
    onFrame: OnMessageFrame,
    compressors: readonly Compressor[] = [],
    { memory, onSkipped, isWanted, isBorrowing = false, mayBegin }: ReaderMemory = {},
  ) {
    this.#onFrame = onFrame;
    this.#compressors = compressors;
    this.#memory = memory;
    this.#onSkipped = onSkipped;
    this.#isWanted = isWanted;
    this.#isBorrowing = isBorrowing;
    this.#mayBegin = mayBegin;
  }

  /** True when the bytes so far end with a whole message. */
  get isAtBoundary(): boolean {
    return this.#headerFilled === 0 && this.#unfinished === undefined;
  }

  /** Bytes that have come so far. */
  get arrived(): number {
    return this.#arrived;
  }

  /** Bytes of memory for the part of a frame that has come. */
  get heldBytes(): number {
    return this.#payload.length;
  }

  /**
   * Takes bytes, which belong to the reader from now on unless it is borrowing.
   *
   * @returns how many were taken: all of them, unless a frame may not begin. It is asked again with the next push, of the rest or of nothing
   * @throws TransportError `MALFORMED`, `LIMIT_EXCEEDED` (no memory for the frame); what `onFrame` throws.
   */
  push(chunk: Uint8Array): number {
    const before = this.#arrived;
    let offset = 0;
    while (offset < chunk.length || this.#isFrameComplete()) {
      const header = this.#header;
      if (header === undefined) offset = this.#readHeader(chunk, offset);
      else if (this.#isHeldBack(header)) break;
      else offset = this.#readPayload(chunk, offset, header);
      this.#arrived = before + offset;
    }
    return offset;
  }

  #isFrameComplete(): boolean {
    return this.#header !== undefined && this.#filled === this.#header.length;
  }

  #isHeldBack(header: MessageHeader): boolean {
    return this.#filled === 0 && this.#mayBegin?.(header) === false;
  }

  #readHeader(chunk: Uint8Array, offset: number): number {
    let header: MessageHeader;
    let end = offset + MESSAGE_HEADER_LENGTH;
    if (this.#headerFilled === 0 && end <= chunk.length) header = decodeMessageHeader(chunk, offset);
    else {
      end = Math.min(chunk.length, offset + MESSAGE_HEADER_LENGTH - this.#headerFilled);
      this.#headerBytes.set(chunk.subarray(offset, end), this.#headerFilled);
      this.#headerFilled += end - offset;
      if (this.#headerFilled < MESSAGE_HEADER_LENGTH) return end;
      header = decodeMessageHeader(this.#headerBytes, 0);
    }
    const before = this.#unfinished;
    if (before !== undefined && (before.id !== header.id || before.kind !== header.kind)) {
      throw malformed('Another message began before the last one had ended.');
    }
    this.#headerFilled = MESSAGE_HEADER_LENGTH;
    this.#header = header;
    this.#isSkipping = this.#isWanted?.() === false;
    return end;
  }

  #readPayload(chunk: Uint8Array, offset: number, header: MessageHeader): number {
    if (this.#filled === 0 && chunk.length - offset >= header.length) {
      const payload = chunk.subarray(offset, offset + header.length);
      const isCopied = this.#isBorrowing && !header.isCompressed && !this.#isSkipping;
      this.#finish(header, isCopied ? new Uint8Array(payload) : payload);
      return offset + header.length;
    }
    const size = Math.min(header.length - this.#filled, chunk.length - offset);
    if (!this.#isSkipping) this.#makeRoom(this.#filled + size, header.length);
    if (!this.#isSkipping) this.#payload.set(chunk.subarray(offset, offset + size), this.#filled);
    this.#filled += size;
    if (this.#filled === header.length) this.#finish(header, this.#payload.subarray(0, header.length));
    return offset + size;
  }

  /** Nothing will be pushed any more: gives the memory for the part of a frame back. */
  clear(): void {
    releaseChunks([this.#payload]);
    this.#payload = NOTHING;
  }

  /** The announced length is only a claim: memory follows what has arrived. */
  #makeRoom(needed: number, announced: number): void {
    if (needed <= this.#payload.length) return;
    const length = Math.min(announced, needed * 2);
    if (this.#memory?.take(length - this.#payload.length) === false) {
      if (!this.#onSkipped) throw overBudget();
      this.#isSkipping = true;
      this.#memory.give(this.#payload.length);
      this.clear();
      return;
    }
    const larger = new Uint8Array(length);
    larger.set(this.#payload.subarray(0, this.#filled));
    this.clear();
    this.#payload = larger;
  }

  #finish(header: MessageHeader, payload: Uint8Array): void {
    this.#header = undefined;
    this.#headerFilled = 0;
    this.#memory?.give(this.#payload.length);
    this.#payload = NOTHING;
    this.#filled = 0;
    this.#unfinished = header.hasMore ? header : undefined;
    if (this.#isSkipping) {
      this.#isSkipping = false;
      this.#onSkipped?.(header);
      return;
    }
    this.#onFrame(header, header.isCompressed ? this.#decompress(payload) : payload);
  }

  #decompress(payload: Uint8Array): Uint8Array {
    const compressor = this.#compressors.find(({ id }) => id === payload[0]);
    if (compressor === undefined) throw malformed('The compression was not agreed on.');
    const length = readUint24(payload, 1);
    if (length === 0 || length > MAX_MESSAGE_PAYLOAD)
      throw malformed('A frame unpacks to an impossible length.');
    let bytes: Uint8Array;
    try {
      bytes = compressor.decompress(payload.subarray(COMPRESSION_HEADER_LENGTH), length);
    } catch (cause) {
      throw malformed('A frame cannot be unpacked.', cause);
    }
    if (bytes.length !== length) throw malformed('A frame unpacks to another length than it says.');
    return bytes;
  }
}
