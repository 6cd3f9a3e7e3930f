/** Allows `burst` events at once and `perSecond` in the long run. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perSecond: number;
  #tokens: number;
  #filledAt: number | undefined;

  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#tokens = burst;
  }

  /** Takes a token; false when none is left. The clock is only read when the burst is used up. */
  take(now: () => number): boolean {
    if (this.#tokens < 1) this.#refill(now());
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #refill(time: number): void {
    // The first refill has nothing to measure from: the burst may have been used over a long time.
    const elapsed = this.#filledAt === undefined ? 1000 : time - this.#filledAt;
    this.#filledAt = time;
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsed * this.#perSecond) / 1000);
  }
}
