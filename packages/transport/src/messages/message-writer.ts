import { TransportError } from '../errors.ts';
import { ResetCode } from '../mux/frames.ts';
import type { Stream } from '../mux/stream.ts';
import { COMPRESS_FROM, type Compressor } from './compressor.ts';
import {
  COMPRESSION_HEADER_LENGTH,
  encodeMessageHeader,
  MAX_MESSAGE_PAYLOAD,
  MESSAGE_HEADER_LENGTH,
} from './message-frames.ts';

/** Messages wait for the stream from here on, in bytes that it has queued. */
const BACKLOG = 64 * 1024;

/** Which message a frame belongs to. */
export interface FrameTarget {
  readonly kind: number;
  readonly id: number;
}

/** Writes frames of the message layer to a stream. */
export class MessageWriter {
  readonly #stream: Stream;
  readonly #compressor: Compressor | undefined;
  /** Written twelve bytes at most and copied by the stream at once. */
  readonly #header: Uint8Array = new Uint8Array(MESSAGE_HEADER_LENGTH + COMPRESSION_HEADER_LENGTH);
  #written = 0;

  constructor(stream: Stream, compressor?: Compressor) {
    this.#stream = stream;
    this.#compressor = compressor;
  }

  /** Bytes that have left so far: those that wait in the stream do not count. */
  get sent(): number {
    return this.#written - this.#stream.queuedBytes;
  }

  /**
   * False while a message of this length must wait for what is queued: a large one begins with an empty queue, so that it never
   * meets the bound of the queue half written.
   */
  hasRoomFor(length: number): boolean {
    const queued = this.#stream.queuedBytes;
    return queued === 0 || queued + length <= BACKLOG;
  }

  /** Writes a message when there is room for it, unless it is no longer wanted then. Rejects when the stream fails. */
  async messageInTurn(target: FrameTarget, body: Uint8Array, isWanted: () => boolean): Promise<void> {
    while (isWanted() && !this.hasRoomFor(body.length)) await this.#stream.drained();
    if (isWanted()) this.message(target, body);
  }

  /**
   * Writes a whole message.
   *
   * @returns what the last `Stream.write` answered.
   * @throws TransportError `WRITE_OVERFLOW` when it is longer than the stream may queue; the stream is reset then, for what
   * follows would be read as a part of it.
   */
  message(target: FrameTarget, body: Uint8Array): boolean {
    let offset = 0;
    let isWritable = true;
    try {
      do {
        const end = Math.min(body.length, offset + MAX_MESSAGE_PAYLOAD);
        isWritable = this.frame(target, body.subarray(offset, end), end < body.length);
        offset = end;
      } while (offset < body.length);
    } catch (error) {
      if (error instanceof TransportError && error.code === 'WRITE_OVERFLOW')
        this.#stream.reset(ResetCode.internal);
      throw error;
    }
    return isWritable;
  }

  /** Writes at most `MAX_MESSAGE_PAYLOAD` bytes. */
  frame(target: FrameTarget, payload: Uint8Array, hasMore: boolean): boolean {
    const packed = this.#compress(payload);
    const header = this.#header;
    const { kind, id } = target;
    if (packed === undefined) {
      encodeMessageHeader(header, { kind, id, hasMore, isCompressed: false, length: payload.length });
      const isWritable = this.#write(header.subarray(0, MESSAGE_HEADER_LENGTH));
      return payload.length === 0 ? isWritable : this.#write(payload);
    }
    const length = COMPRESSION_HEADER_LENGTH + packed.length;
    encodeMessageHeader(header, { kind, id, hasMore, isCompressed: true, length });
    header[8] = this.#compressor!.id;
    header[9] = payload.length >>> 16;
    header[10] = payload.length >>> 8;
    header[11] = payload.length;
    this.#write(header);
    return this.#write(packed);
  }

  #write(bytes: Uint8Array): boolean {
    const isWritable = this.#stream.write(bytes);
    this.#written += bytes.length;
    return isWritable;
  }

  /** Undefined when it does not pay. */
  #compress(payload: Uint8Array): Uint8Array | undefined {
    if (this.#compressor === undefined || payload.length < COMPRESS_FROM) return undefined;
    const packed = this.#compressor.compress(payload);
    return packed.length + COMPRESSION_HEADER_LENGTH < payload.length ? packed : undefined;
  }
}

/** The first of the compressions that both sides of the stream's connection have. */
export function agreedCompressors(stream: Stream, compressors: readonly Compressor[]): readonly Compressor[] {
  return compressors.filter(({ name }) => stream.connection.features.includes(name));
}
