/** What was opened, to be closed in the reverse order. */
export class Resources {
  readonly #closers: (() => unknown)[] = [];

  /** Remembers how to close something that was just opened. */
  add(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** Closes everything, each after what was opened later, also when one fails; then throws the first failure. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
