/** Bytes put together from pieces of any size, in memory of at most twice their number. */
export class GrowingBytes {
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Bytes of memory that are in use: at least `length`. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** By how much the capacity grows when so many bytes are appended. */
  growthFor(length: number): number {
    const needed = this.#length + length;
    return needed > this.#bytes.length ? Math.max(needed, this.#bytes.length * 2) - this.#bytes.length : 0;
  }

  append(piece: Uint8Array): void {
    const needed = this.#length + piece.length;
    const growth = this.growthFor(piece.length);
    if (growth > 0) {
      const larger = new Uint8Array(this.#bytes.length + growth);
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = needed;
  }

  /** Gives the bytes away and begins again. */
  take(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
    return bytes;
  }
}
