import type { Stream } from '../mux/stream.ts';

/**
 * What a handler is given with a request. Its signal is made when it is looked at: most handlers never do, and it costs more than all the
 * rest of a small request.
 */
export class RequestContext {
  readonly stream: Stream;
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  constructor(stream: Stream) {
    this.stream = stream;
  }

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
}
