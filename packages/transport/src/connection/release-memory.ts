/** Smaller buffers cost the collector nothing that would be worth a call. */
const WORTH_RELEASING = 16 * 1024;

/** ES2024; Node has it from 21 on. */
interface TransferableBuffer {
  transfer?(newLength: number): ArrayBuffer;
}

/**
 * Gives the memory of large chunks back now instead of when the collector comes: sealing makes 64 KiB of garbage for each
 * record, and V8 answers such a flood with full collections that take a fifth of the time of a bulk transfer.
 *
 * Only for chunks that nobody will look at again. One that is a view of something larger is left alone.
 */
export function releaseMemory(chunks: readonly Uint8Array[]): void {
  for (const { buffer, byteLength } of chunks) {
    if (byteLength < WORTH_RELEASING || byteLength !== buffer.byteLength) continue;
    (buffer as TransferableBuffer).transfer?.(0);
  }
}

/** The same for the plaintext of a record, which the channel puts into memory of its own behind a byte that it does not show. */
export function releaseRecord({ buffer, byteLength }: Uint8Array): void {
  if (byteLength >= WORTH_RELEASING) (buffer as TransferableBuffer).transfer?.(0);
}
