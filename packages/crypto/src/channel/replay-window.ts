/** How far behind the newest counter a datagram may come (NZ-CHANNEL-01 §7.2). */
export const REPLAY_WINDOW = 1_024;

const BLOCK_BITS = 32;
// A power of two that is larger than the window, so that a block which is cleared is never inside it (RFC 6479 §2).
const BLOCKS = 64;

/** The sliding window of RFC 6479: which counters have been seen, without moving any bits. */
export class ReplayWindow {
  readonly #blocks = new Uint32Array(BLOCKS);
  #newest = -1;

  /** Says whether this counter is neither seen nor too old. */
  accepts(counter: number): boolean {
    if (counter > this.#newest) return true;
    if (this.#newest - counter >= REPLAY_WINDOW) return false;
    return (this.#blocks[blockOf(counter)]! & bitOf(counter)) === 0;
  }

  /** Remembers a counter that was accepted and authenticated. */
  add(counter: number): void {
    if (counter > this.#newest) this.#advance(counter);
    this.#blocks[blockOf(counter)]! |= bitOf(counter);
  }

  #advance(counter: number): void {
    const from = this.#newest < 0 ? -1 : Math.floor(this.#newest / BLOCK_BITS);
    const to = Math.floor(counter / BLOCK_BITS);
    const count = Math.min(to - from, BLOCKS);
    for (let block = to - count + 1; block <= to; block++) this.#blocks[block % BLOCKS] = 0;
    this.#newest = counter;
  }
}

const blockOf = (counter: number): number => Math.floor(counter / BLOCK_BITS) % BLOCKS;
const bitOf = (counter: number): number => 1 << (counter % BLOCK_BITS);
