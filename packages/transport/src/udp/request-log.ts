/** How a request was answered; without a response it was refused. */
export interface LoggedAnswer {
  readonly response: Uint8Array | undefined;
}

/** What to do with a peer's request: run it, drop it, or repeat its answer. */
export type LoggedRequest = 'new' | 'known' | LoggedAnswer;

/**
 * Numbers behind the highest one that are told apart: five seconds of the most that a session may ask, so that a request whose first
 * packet was lost is not too late when it is repeated, however many came meanwhile.
 */
const WINDOW = 1_024;
/** Bytes of the answers that are kept for repetition: four of the longest, or some twenty as short as most are. */
const KEPT_BYTES = 5_400;
/** What an answer costs beside its bytes. */
const ANSWER_COST = 200;

/** NZ-DATAGRAM-01 §4: makes a session answer a repeated request with the same response or refusal, and run it once. */
export class RequestLog {
  /** A bit for each number of the window. */
  readonly #seen = new Uint32Array(WINDOW / 32);
  #highest = 0;
  /** The oldest first. */
  readonly #answers = new Map<number, LoggedAnswer>();
  #keptBytes = 0;

  /** Notes the request when it is new. */
  begin(number: number): LoggedRequest {
    if (number <= this.#highest - WINDOW) return 'known';
    for (let next = this.#highest + 1; next <= number && next <= this.#highest + WINDOW; next++)
      this.#clear(next);
    this.#highest = Math.max(this.#highest, number);
    const [word, bit] = placeOf(number);
    if ((this.#seen[word]! & bit) !== 0) return this.#answers.get(number) ?? 'known';
    this.#seen[word]! |= bit;
    return 'new';
  }

  /** The answer that is kept of a request; nothing is noted. */
  answerOf(number: number): LoggedAnswer | undefined {
    return this.#answers.get(number);
  }

  /** Keeps the answer for repetition; without a response, the refusal. */
  finish(number: number, response: Uint8Array | undefined): void {
    this.#answers.set(number, { response });
    this.#keptBytes += costOf({ response });
    for (const [oldest, answer] of this.#answers) {
      if (this.#keptBytes <= KEPT_BYTES) return;
      this.#keptBytes -= costOf(answer);
      this.#answers.delete(oldest);
    }
  }

  #clear(number: number): void {
    const [word, bit] = placeOf(number);
    this.#seen[word]! &= ~bit;
  }
}

function placeOf(number: number): [word: number, bit: number] {
  const place = number % WINDOW;
  return [place >>> 5, 1 << (place & 31)];
}

function costOf({ response }: LoggedAnswer): number {
  return ANSWER_COST + (response?.length ?? 0);
}
