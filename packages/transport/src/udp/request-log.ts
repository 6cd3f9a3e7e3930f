/** How a request was answered; without a response it was refused. */
export interface LoggedAnswer {
  readonly response: Uint8Array | undefined;
}

/** What became of a peer's request, by its number. */
export type LoggedRequest = 'new' | 'running' | 'forgotten' | LoggedAnswer;

/** Requests that are remembered of one session: a peer has fewer than this under way at a time. */
const REMEMBERED = 64;
/** Responses that are kept for repetition: those of the last moments. */
const KEPT_RESPONSES = 4;

/** NZ-DATAGRAM-01 §4: makes a session answer a repeated request with the same response or refusal, and run it once. */
export class RequestLog {
  readonly #requests = new Map<number, Exclude<LoggedRequest, 'new'>>();
  readonly #kept: number[] = [];
  /** All numbers up to here were seen, or came too late. */
  #floor = 0;

  /** Notes the request when it is new. */
  begin(number: number): LoggedRequest {
    if (number <= this.#floor) return 'forgotten';
    const known = this.#requests.get(number);
    if (known !== undefined) return known;
    this.#requests.set(number, 'running');
    if (this.#requests.size > REMEMBERED) {
      const oldest = this.#requests.keys().next().value!;
      this.#requests.delete(oldest);
      this.#floor = Math.max(this.#floor, oldest);
    }
    return 'new';
  }

  /** The answer that is kept of a request; nothing is noted. */
  answerOf(number: number): LoggedAnswer | undefined {
    const known = this.#requests.get(number);
    return typeof known === 'object' ? known : undefined;
  }

  /** Keeps the answer for repetition; without a response, the refusal. */
  finish(number: number, response: Uint8Array | undefined): void {
    if (!this.#requests.has(number)) return;
    this.#requests.set(number, { response });
    this.#kept.push(number);
    if (this.#kept.length > KEPT_RESPONSES) {
      const dropped = this.#kept.shift()!;
      if (this.#requests.has(dropped)) this.#requests.set(dropped, 'forgotten');
    }
  }
}
