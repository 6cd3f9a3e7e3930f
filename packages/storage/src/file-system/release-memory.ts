/** Smaller arrays cost the collector nothing that would be worth a call. */
const WORTH_RELEASING = 16_384;

/** What Node 22 has and the library of types not yet. */
interface TransferableBuffer {
  transfer?(newLength: number): ArrayBuffer;
}

/**
 * Gives the memory of arrays back at once that nobody will use again, each of which has its buffer to itself. Until the
 * collector does it, 64 KiB for every chunk are cold memory, for which the kernel finds and clears pages again and again.
 */
export function releaseMemory(parts: readonly Uint8Array[]): void {
  for (const { buffer, byteLength } of parts) {
    if (byteLength < WORTH_RELEASING || byteLength !== buffer.byteLength) continue;
    (buffer as TransferableBuffer).transfer?.(0);
  }
}
