import { releaseChunks } from '@nzcore/crypto';
import { TransportError } from '../errors.ts';
import { ByteQueue } from '../mux/byte-queue.ts';
import { ownBytes } from '../own-bytes.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { MessageHeader } from './message-frames.ts';
import type { MessageOptions } from './messages.ts';

/** Largest body unless the options say otherwise: bigger ones go as messages of their own stream. */
const DEFAULT_MAX_BODY = 16 * 1024 * 1024;

/** Options of `createRequester` and `serveRequests`. */
export interface RequestOptions extends MessageOptions {
  /** Largest body of a request or answer, in bytes. @defaultValue 16 MiB */
  readonly maxBodyLength?: number;
}

/** Where whole bodies go. */
export interface BodySink {
  /** @param held - bytes of the budget that the body has; whoever gets it gives them back */
  onBody(kind: number, id: number, body: { readonly bytes: Uint8Array; readonly held: number }): void;
  /** There was no room for the body: all of it was skipped, and nothing is held. */
  onSkipped(kind: number, id: number): void;
}

/** Puts the frames of a body together; the message layer never mixes two. */
export class BodyAssembler {
  readonly maxLength: number;
  readonly #sink: BodySink;
  readonly #memory: MemoryBudget;
  /** Never copied as a whole before it is whole: a body that does not end costs no time. */
  readonly #body = new ByteQueue();
  /** Bytes of the body that is being skipped. */
  #skipped: number | undefined;

  constructor(options: RequestOptions, memory: MemoryBudget, sink: BodySink) {
    this.maxLength = options.maxBodyLength ?? DEFAULT_MAX_BODY;
    this.#sink = sink;
    this.#memory = memory;
  }

  /** Bytes held of a body that has not arrived whole. */
  get heldBytes(): number {
    return this.#body.length;
  }

  /** More of a body is of use: it is not being skipped. */
  get isWanted(): boolean {
    return this.#skipped === undefined;
  }

  /** Forgets what has arrived of a body; its bytes of the budget have been given back. */
  clear(): void {
    // Each piece is memory of its own, and together they are much: the collector would have to look for them.
    for (let piece = this.#body.shift(); piece !== undefined; piece = this.#body.shift())
      releaseChunks([piece]);
  }

  /** @throws TransportError `MESSAGE_TOO_LARGE`; what the sink throws. */
  onFrame(header: MessageHeader, payload: Uint8Array): void {
    this.#assertFits(payload.length);
    if (!header.hasMore && this.#body.length === 0) this.#whole(header, payload);
    else this.#append(header, payload);
  }

  /** A frame that there was no memory for, or one behind it: its body is not whole any more. @throws as `onFrame` */
  onSkippedFrame(header: MessageHeader): void {
    this.#assertFits(header.length);
    this.#drop();
    this.#skip(header, header.length);
  }

  /** A body of one frame, as most are. */
  #whole({ kind, id }: MessageHeader, payload: Uint8Array): void {
    if (this.#memory.take(payload.length)) {
      this.#sink.onBody(kind, id, { bytes: ownBytes(payload), held: payload.length });
      return;
    }
    releaseChunks([payload]);
    this.#sink.onSkipped(kind, id);
  }

  #append(header: MessageHeader, payload: Uint8Array): void {
    const body = this.#body;
    if (!this.#memory.take(payload.length)) {
      releaseChunks([payload]);
      this.#drop();
      this.#skip(header, payload.length);
      return;
    }
    body.push(payload);
    if (header.hasMore) return;
    const held = body.length;
    this.#sink.onBody(header.kind, header.id, { bytes: body.takeAll(), held });
  }

  #assertFits(more: number): void {
    if ((this.#skipped ?? this.#body.length) + more <= this.maxLength) return;
    throw new TransportError('MESSAGE_TOO_LARGE', `A body is larger than ${this.maxLength} bytes.`);
  }

  /** What is there of the body is of no use. */
  #drop(): void {
    this.#memory.give(this.#body.length);
    this.#skipped ??= this.#body.length;
    this.clear();
  }

  #skip({ kind, id, hasMore }: MessageHeader, length: number): void {
    this.#skipped = hasMore ? (this.#skipped ?? 0) + length : undefined;
    if (!hasMore) this.#sink.onSkipped(kind, id);
  }
}
