import { TransportError } from './errors.ts';
import { ResetCode, writeUint32 } from './frames.ts';
import { MessageKind } from './message-frames.ts';
import { MessageReader } from './message-reader.ts';
import { agreedCompressors, MessageWriter } from './message-writer.ts';
import { BodyAssembler, type RequestOptions } from './request-body.ts';
import type { Stream } from './stream.ts';
import { malformed } from './wire-errors.ts';

/** Answers a request. The signal aborts when the asker gave up or the stream ended. */
export type RequestHandler = (
  body: Uint8Array,
  context: { readonly signal: AbortSignal; readonly stream: Stream },
) => Promise<Uint8Array> | Uint8Array;

/** Options of {@link serveRequests}. */
export interface ServeOptions extends RequestOptions {
  /** Requests that may be worked on at once; while there are as many, the stream is not read. @defaultValue 256 */
  readonly maxPending?: number;
}

/**
 * Answers the requests of a stream until it ends. Nobody else may use the stream.
 *
 * When the handler throws a TransportError with a `resetCode`, the asker gets that number; for anything else it gets
 * `ResetCode.internal`, and nothing of the error.
 */
export function serveRequests(stream: Stream, handler: RequestHandler, options: ServeOptions = {}): void {
  new RequestServer(stream, handler, options).start();
}

class RequestServer {
  readonly #stream: Stream;
  readonly #handler: RequestHandler;
  readonly #writer: MessageWriter;
  readonly #reader: MessageReader;
  readonly #maxPending: number;
  readonly #maxBodyLength: number;
  readonly #pending = new Map<number, AbortController>();
  #isWaitingForDrain = false;
  #isAskerDone = false;

  constructor(stream: Stream, handler: RequestHandler, options: ServeOptions) {
    const compressors = agreedCompressors(stream, options.compressors ?? []);
    const body = new BodyAssembler(options, (kind, id, bytes) => this.#onBody(kind, id, bytes));
    this.#stream = stream;
    this.#handler = handler;
    this.#maxPending = options.maxPending ?? 256;
    this.#maxBodyLength = body.maxLength;
    this.#writer = new MessageWriter(stream, compressors[0]);
    this.#reader = new MessageReader((header, payload) => body.onFrame(header, payload), compressors);
  }

  start(): void {
    this.#stream.receive({
      onData: (chunk) => {
        try {
          this.#reader.push(chunk);
        } catch {
          this.#stream.reset(ResetCode.protocolError);
        }
        this.#pace();
      },
      onEnd: () => {
        this.#isAskerDone = true;
        this.#closeWhenDone();
      },
      onReset: (error) => {
        for (const controller of this.#pending.values()) controller.abort(error);
        this.#pending.clear();
      },
    });
  }

  #onBody(kind: number, id: number, body: Uint8Array): void {
    if (kind === MessageKind.cancel) {
      this.#pending.get(id)?.abort(new TransportError('REQUEST_FAILED', 'The asker gave up.'));
      return;
    }
    if (kind !== MessageKind.request || this.#pending.has(id)) throw malformed('Not a new request.');
    const controller = new AbortController();
    this.#pending.set(id, controller);
    void this.#answer(id, body, controller.signal);
  }

  async #answer(id: number, body: Uint8Array, signal: AbortSignal): Promise<void> {
    let answer: Uint8Array | undefined;
    let code: number = ResetCode.internal;
    try {
      answer = await this.#handler(body, { signal, stream: this.#stream });
      if (answer.length > this.#maxBodyLength) answer = undefined;
    } catch (error) {
      if (error instanceof TransportError && error.resetCode !== undefined) code = error.resetCode;
    }
    // Not there any more: the stream has ended meanwhile.
    if (!this.#pending.delete(id)) return;
    if (!signal.aborted) this.#write(id, answer, code);
    this.#pace();
    this.#closeWhenDone();
  }

  #write(id: number, answer: Uint8Array | undefined, code: number): void {
    if (answer !== undefined) {
      this.#writer.message({ kind: MessageKind.response, id }, answer);
      return;
    }
    const failure = new Uint8Array(4);
    writeUint32(failure, 0, code);
    this.#writer.message({ kind: MessageKind.failure, id }, failure);
  }

  /** Reads no more requests than are worked on, and none while answers are not taken. */
  #pace(): void {
    if (this.#stream.queuedBytes > 0 && !this.#isWaitingForDrain) {
      this.#isWaitingForDrain = true;
      const onDrained = (): void => {
        this.#isWaitingForDrain = false;
        this.#pace();
      };
      this.#stream.drained().then(onDrained, () => undefined);
    }
    if (this.#isWaitingForDrain || this.#pending.size >= this.#maxPending) this.#stream.pause();
    else this.#stream.resume();
  }

  #closeWhenDone(): void {
    if (this.#isAskerDone && this.#pending.size === 0) void this.#stream.closeWrite();
  }
}
