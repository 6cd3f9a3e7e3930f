const FIRST_CAPACITY = 512;
const NOTHING = new Uint8Array(0);

/**
 * Bytes of one record that arrive in pieces. Memory follows what has arrived, never what was announced: at most four times
 * as much, so that a peer cannot reserve memory with a length alone, and appending stays linear.
 */
export class GrowingBytes {
  readonly #total: number;
  #bytes: Uint8Array = NOTHING;
  #length = 0;

  /** @param total - What was announced; `append` never exceeds it. */
  constructor(total: number) {
    this.#total = total;
  }

  get length(): number {
    return this.#length;
  }

  /** Copies a piece. */
  append(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#bytes.length) {
      const capacity = Math.min(
        this.#total,
        Math.max(FIRST_CAPACITY, 4 * length >= this.#total ? this.#total : 2 * length),
      );
      const grown = new Uint8Array(capacity);
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes.fill(0);
      this.#bytes = grown;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = length;
  }

  /** The bytes so far; they are the caller's when nothing more is appended. */
  take(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  wipe(): void {
    this.#bytes.fill(0);
    this.#length = 0;
  }
}
