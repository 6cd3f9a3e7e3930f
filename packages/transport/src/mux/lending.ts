import { settleOwner } from '../owner-hook.ts';
import type { StreamSink } from './stream.ts';

/** What a borrowing sink looks at now: detached when it returns. A `write` of it would end the process later, when it is sealed. */
let lent: ArrayBufferLike | undefined;

/** Whose sink it is: told what the sink throws, or rejects with. */
interface SinkHost {
  sinkThrew(cause: unknown): void;
}

/** Hands bytes to a sink; those that it borrows are known as lent meanwhile. @returns how many of them it has left */
export function handTo(sink: StreamSink | undefined, bytes: Uint8Array, host: SinkHost): number {
  const outer = lent;
  if (sink?.isBorrowing === true) lent = bytes.buffer;
  const { length } = bytes;
  try {
    settle(sink?.onData(bytes), host);
    const left = sink?.untaken?.() ?? 0;
    if (!(left >= 0 && left <= length)) throw new RangeError('a sink leaves what it was given, and no more');
    return left;
  } catch (cause) {
    host.sinkThrew(cause);
    return 0;
  } finally {
    lent = outer;
  }
}

/** Tells a sink that no more bytes follow. */
export function endOf(sink: StreamSink | undefined, host: SinkHost): void {
  try {
    settle(sink?.onEnd(), host);
  } catch (cause) {
    host.sinkThrew(cause);
  }
}

/** A sink of async functions. */
function settle(result: unknown, host: SinkHost): void {
  if (result !== undefined) settleOwner(result, (cause) => host.sinkThrew(cause));
}

/** The bytes, copied if they are only lent. */
export function owned(bytes: Uint8Array): Uint8Array {
  return bytes.buffer === lent ? new Uint8Array(bytes) : bytes;
}
