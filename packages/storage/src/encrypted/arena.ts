/** Gives memory of this many bytes. */
export type Allocate = (length: number) => Uint8Array;

// Some hundred small records in one allocation, each of which costs as much as sealing 64 bytes.
const BLOCK_BYTES = 64 * 1_024;

/**
 * Memory for the many small arrays of one batch, which live and die together: an array that is kept keeps its block.
 */
export function createArena(): Allocate {
  let block = new Uint8Array(0);
  let used = 0;
  return (length) => {
    if (length > BLOCK_BYTES / 4) return new Uint8Array(length);
    if (used + length > block.length) {
      block = new Uint8Array(BLOCK_BYTES);
      used = 0;
    }
    used += length;
    return block.subarray(used - length, used);
  };
}

/** Memory of its own for every array. */
export const allocateAlone: Allocate = (length) => new Uint8Array(length);
