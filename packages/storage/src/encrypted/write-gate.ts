/**
 * Lets writes pass freely, except while something needs the store unchanged: then they wait and pass in the order
 * in which they came.
 */
export class WriteGate {
  #passing = 0;
  #isHeld = false;
  readonly #waiting: (() => void)[] = [];
  readonly #holders: (() => void)[] = [];

  /** Runs a write now, or once the gate is free. */
  pass<T>(write: () => Promise<T>): Promise<T> {
    if (!this.#isHeld && this.#holders.length === 0) return this.#run(write);
    return new Promise((resolve) => this.#waiting.push(() => resolve(this.#run(write))));
  }

  /** Runs alone: after the writes under way, before those that come later. */
  async hold<T>(action: () => Promise<T>): Promise<T> {
    if (this.#isHeld || this.#passing > 0 || this.#holders.length > 0) {
      await new Promise<void>((resolve) => this.#holders.push(resolve));
    }
    this.#isHeld = true;
    try {
      return await action();
    } finally {
      this.#isHeld = false;
      this.#next('writes');
    }
  }

  async #run<T>(write: () => Promise<T>): Promise<T> {
    this.#passing++;
    try {
      return await write();
    } finally {
      this.#passing--;
      this.#next('holder');
    }
  }

  /** Holders and waiting writes take turns, so that neither starves the other. */
  #next(turn: 'writes' | 'holder'): void {
    if (this.#isHeld || this.#passing > 0) return;
    const holder = this.#holders[0];
    if (holder !== undefined && (turn === 'holder' || this.#waiting.length === 0)) {
      this.#holders.shift();
      this.#isHeld = true;
      holder();
      return;
    }
    for (const start of this.#waiting.splice(0)) start();
  }
}
