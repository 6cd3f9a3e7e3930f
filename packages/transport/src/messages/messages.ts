import { TransportError } from '../errors.ts';
import { ByteQueue } from '../mux/byte-queue.ts';
import { ResetCode } from '../mux/frames.ts';
import type { SignalOptions, Stream } from '../mux/stream.ts';
import { ownBytes } from '../own-bytes.ts';
import { putOff } from '../time/turns.ts';
import type { Compressor } from './compressor.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { MemoryHold, overBudget } from './memory-hold.ts';
import { MAX_MESSAGE_PAYLOAD, MessageKind } from './message-frames.ts';
import { MessageReader } from './message-reader.ts';
import { agreedCompressors, MessageWriter } from './message-writer.ts';

/** Options of the message layer. */
export interface MessageOptions {
  /**
   * Used for bodies from 1 KiB on, where both sides named them as features.
   * @defaultValue none
   */
  readonly compressors?: readonly Compressor[];
}

/** Sends messages over the writing side of one stream, one after the other. */
export interface MessageSender {
  /**
   * Sends a message that is in memory. Resolves when the stream wants more; from 8 KiB on `body` must not change before that.
   *
   * @throws TransportError `WRITE_OVERFLOW` when it is longer than the stream may queue (16 MiB unless the limits say otherwise); the
   * stream is reset then. `sendFrom` takes any length.
   */
  send(body: Uint8Array, options?: SignalOptions): Promise<void>;
  /**
   * Sends a message of any length in constant memory: one piece at a time is taken from the source.
   * When the source throws or the signal aborts, the stream is reset: a cut message must not look like a whole one.
   */
  sendFrom(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, options?: SignalOptions): Promise<void>;
  /** Ends the messages. Resolves when the other side has received all of them. */
  close(options?: SignalOptions): Promise<void>;
}

/** A message that is arriving. What is not read of it is skipped when the next one is asked for. */
export interface IncomingMessage extends AsyncIterable<Uint8Array> {
  /** The whole of it. @throws TransportError `MESSAGE_TOO_LARGE`, `LIMIT_EXCEEDED`, after which the stream is reset. */
  bytes(options: { readonly maxLength: number }): Promise<Uint8Array>;
}

/** Writes messages to a stream. Nobody else may write to it. */
export function createMessageSender(stream: Stream, options: MessageOptions = {}): MessageSender {
  const [compressor] = agreedCompressors(stream, options.compressors ?? []);
  const writer = new MessageWriter(stream, compressor);
  const target = { kind: MessageKind.message, id: 0 };
  const pace = async (isWritable: boolean, signal: AbortSignal | undefined): Promise<void> => {
    if (!isWritable) await stream.drained(signal === undefined ? {} : { signal });
  };
  return {
    async send(body, { signal } = {}) {
      signal?.throwIfAborted();
      await pace(writer.message(target, body), signal);
    },
    async sendFrom(source, { signal } = {}) {
      try {
        for await (const piece of source) {
          signal?.throwIfAborted();
          for (let offset = 0; offset < piece.length; offset += MAX_MESSAGE_PAYLOAD) {
            const part = piece.subarray(offset, offset + MAX_MESSAGE_PAYLOAD);
            await pace(writer.frame(target, part, true), signal);
          }
        }
        await pace(writer.frame(target, new Uint8Array(0), false), signal);
      } catch (error) {
        stream.reset(ResetCode.cancelled);
        throw error;
      }
    },
    close: (closeOptions) => stream.closeWrite(closeOptions),
  };
}

/** Milliseconds of messages that wait one behind the other, after which others have their turn: a window may hold a hundred thousand. */
const TURN = 0.25;
/** The clock is looked at once for so many parts, and no more are cut out of a chunk at once: it may hold eight thousand. */
const PARTS_A_LOOK = 16;

interface Part {
  readonly payload: Uint8Array;
  readonly hasMore: boolean;
}

/**
 * Reads messages from a stream, in the order sent. Nobody else may read from it.
 *
 * @throws TransportError `LIMIT_EXCEEDED` when the peer has too many such streams (it is refused then) or too many bytes are held
 * for it, `MALFORMED` when the bytes are none of the message layer's, `CONNECTION_LOST` or `STREAM_RESET` when
 * the stream ends before its messages do.
 */
export async function* receiveMessages(
  stream: Stream,
  options: MessageOptions = {},
): AsyncGenerator<IncomingMessage, void, undefined> {
  const memory = MemoryHold.open(stream);
  if (!memory) {
    stream.reset(ResetCode.refused);
    throw overBudget();
  }
  const parts = readParts(stream, agreedCompressors(stream, options.compressors ?? []), memory);
  try {
    for (let first = await parts.next(); !first.done; first = await parts.next()) {
      const message = new PartialMessage({ stream, parts, memory }, first.value);
      yield message;
      await message.skip();
    }
  } finally {
    await parts.return(undefined);
    memory.release();
  }
}

async function* readParts(
  stream: Stream,
  compressors: readonly Compressor[],
  memory: MemoryHold,
): AsyncGenerator<Part, void, undefined> {
  let parts: Part[] = [];
  let isReading = true;
  const reader = new MessageReader(
    (header, payload) => {
      if (header.kind !== MessageKind.message) throw wrongKind();
      parts.push({ payload, hasMore: header.hasMore });
    },
    compressors,
    { memory, mayBegin: () => parts.length < PARTS_A_LOOK },
  );
  memory.follow({ arrived: () => reader.arrived, isReading: () => isReading, drop: () => reader.clear() });
  const push = (chunk: Uint8Array): Uint8Array => {
    try {
      return chunk.subarray(reader.push(chunk));
    } catch (error) {
      const isOverBudget = error instanceof TransportError && error.code === 'LIMIT_EXCEEDED';
      stream.reset(isOverBudget ? ResetCode.overBudget : ResetCode.protocolError);
      throw error;
    }
  };
  let count = 0;
  let turnEnds = performance.now() + TURN;
  for await (const chunk of stream) {
    isReading = false;
    for (let rest = push(chunk); parts.length > 0; rest = push(rest)) {
      const ready = parts;
      parts = [];
      for (const part of ready) {
        yield part;
        if (++count % PARTS_A_LOOK !== 0 || performance.now() < turnEnds) continue;
        await new Promise<void>((resolve) => putOff(stream.connection, resolve));
        turnEnds = performance.now() + TURN;
      }
    }
    isReading = true;
  }
  if (!reader.isAtBoundary) throw new TransportError('MALFORMED', 'The stream ended within a message.');
}

function wrongKind(): TransportError {
  return new TransportError('MALFORMED', 'A request came where a message was expected.');
}

/** What the messages of a stream are read from. */
interface Source {
  readonly stream: Stream;
  readonly parts: AsyncGenerator<Part, void, undefined>;
  readonly memory: MemoryBudget;
}

class PartialMessage implements IncomingMessage {
  readonly #source: Source;
  #next: Part | undefined;

  constructor(source: Source, first: Part) {
    this.#source = source;
    this.#next = first;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (let part = this.#next; part !== undefined; part = this.#next) {
      await this.#advance(part);
      if (part.payload.length > 0) yield part.payload;
    }
  }

  async bytes({ maxLength }: { readonly maxLength: number }): Promise<Uint8Array> {
    const { stream, memory } = this.#source;
    const body = new ByteQueue();
    let held = 0;
    try {
      for await (const piece of this) {
        if (body.length + piece.length > maxLength) {
          stream.reset(ResetCode.cancelled);
          throw new TransportError('MESSAGE_TOO_LARGE', `A message is larger than ${maxLength} bytes.`);
        }
        // Most messages are one frame; a large one needs no copy.
        if (body.length === 0 && this.#next === undefined) return ownBytes(piece);
        if (!memory.take(piece.length)) {
          stream.reset(ResetCode.overBudget);
          throw overBudget();
        }
        held += piece.length;
        body.push(piece);
      }
    } finally {
      memory.give(held);
    }
    return body.takeAll();
  }

  /** Reads to the end of the message. */
  async skip(): Promise<void> {
    for (let part = this.#next; part !== undefined; part = this.#next) await this.#advance(part);
  }

  async #advance(part: Part): Promise<void> {
    this.#next = undefined;
    if (!part.hasMore) return;
    const next = await this.#source.parts.next();
    if (!next.done) this.#next = next.value;
  }
}
