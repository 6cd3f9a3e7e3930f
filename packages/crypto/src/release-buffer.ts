/** Smaller buffers cost the collector nothing that would be worth a call. */
const WORTH_RELEASING = 16_384;

/** ES2024; Node has it from 21 on. */
interface TransferableBuffer {
  transfer?(newLength: number): ArrayBuffer;
}

/** What takes a buffer over and drops it: a port that is closed still detaches what it is given (HTML §9.4.4). */
interface Port {
  postMessage(message: null, transfer: readonly ArrayBufferLike[]): void;
  close(): void;
}
declare const MessageChannel: (new () => { readonly port1: Port }) | undefined;

let closedPort: Port | undefined;

function takeOver(buffer: ArrayBufferLike): void {
  if (closedPort === undefined) {
    if (typeof MessageChannel === 'undefined') return;
    closedPort = new MessageChannel().port1;
    closedPort.close();
  }
  closedPort.postMessage(null, [buffer]);
}

/**
 * Gives the memory of a large buffer back now instead of when the collector comes, and detaches it: every array on it is
 * empty afterwards. Records and chunks make so much garbage that V8 answers with full collections, which take a fifth of the
 * time of a bulk transfer, and the kernel finds and clears the same pages again and again.
 *
 * Only for an ArrayBuffer that nobody will look at again: one of the caller's own that is no view of a pool and no
 * WebAssembly memory. Buffers under 16 KiB, and all where the runtime cannot do it, are left to the collector.
 */
export function releaseBuffer(buffer: ArrayBufferLike): void {
  if (buffer.byteLength < WORTH_RELEASING) return;
  const transferable = buffer as TransferableBuffer;
  if (transferable.transfer) transferable.transfer(0);
  else takeOver(buffer);
}

/** `releaseBuffer` for each chunk that has its buffer to itself; views of something larger are left alone. */
export function releaseChunks(chunks: readonly Uint8Array[]): void {
  for (const { buffer, byteLength } of chunks) if (byteLength === buffer.byteLength) releaseBuffer(buffer);
}
