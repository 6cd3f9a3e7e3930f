import type { StreamSink } from './stream.ts';

/** What a borrowing sink looks at now: detached when it returns. A `write` of it would end the process later, when it is sealed. */
let lent: ArrayBufferLike | undefined;

/** Hands bytes to a sink; those that it borrows are known as lent meanwhile. @returns what the sink does: a promise, if it is async @throws what the sink throws */
export function handTo(sink: StreamSink | undefined, bytes: Uint8Array): unknown {
  const outer = lent;
  if (sink?.isBorrowing === true) lent = bytes.buffer;
  try {
    return sink?.onData(bytes);
  } finally {
    lent = outer;
  }
}

/** The bytes, copied if they are only lent. */
export function owned(bytes: Uint8Array): Uint8Array {
  return bytes.buffer === lent ? new Uint8Array(bytes) : bytes;
}
