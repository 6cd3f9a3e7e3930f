import { ResetCode, writeUint32 } from '../mux/frames.ts';
import type { Stream } from '../mux/stream.ts';
import { MessageKind } from './message-frames.ts';

/** What a handler is given with a request. */
export interface RequestContext {
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  readonly stream: Stream;
}

/** The end of a request that somebody waits for; its signal is made when it is looked at: most handlers never do, and it costs more than all the rest of a small request. */
export class RequestEnd {
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Nobody waits for the answer any more. Idempotent. */
  abort(reason: Error): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }

  /** What the handler sees of it: a signal of its own property, which a copy has as well. */
  contextOf(stream: Stream): RequestContext {
    const end = this;
    return {
      get signal(): AbortSignal {
        return end.signal;
      },
      stream,
    };
  }
}

/** What the asker gets. */
export interface Outcome {
  readonly kind: number;
  readonly body: Uint8Array;
}

/** The answer to who gets none. @param code - one of `ResetCode`, or the handler's own */
export function failure(code: number = ResetCode.internal): Outcome {
  const body = new Uint8Array(4);
  writeUint32(body, 0, code);
  return { kind: MessageKind.failure, body };
}
