/** Small enough not to be given back by `releaseBuffer`. */
const POOL = 8 * 1024;
/** Larger pieces get memory of their own. */
export const POOLED = 512;

/** Memory for small pieces that share their ArrayBuffer: one for each costs as much as to seal 64 bytes. No byte is given out twice. */
export class BytePool {
  #pool: Uint8Array = new Uint8Array(0);
  #used = 0;

  take(length: number): Uint8Array {
    if (length > POOLED) return new Uint8Array(length);
    // A pool that somebody has transferred has no length any more.
    if (this.#used + length > this.#pool.length) {
      this.#pool = new Uint8Array(POOL);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += length;
    return this.#pool.subarray(start, this.#used);
  }
}
