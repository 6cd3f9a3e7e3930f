import { createDeferred, type Deferred } from '../deferred.ts';
import type { Stream } from './stream.ts';

type Result = IteratorResult<Uint8Array, undefined>;

/**
 * Reads a stream chunk by chunk. The stream is paused but for the time that `next` waits, so what nobody asks for uses
 * up the sender's credit. Leaving the loop early resets the stream.
 */
export function createStreamIterator(stream: Stream): AsyncIterator<Uint8Array, undefined> {
  let waiting: Deferred<Result> | undefined;
  let isDone = false;
  let failure: Error | undefined;
  const settle = (result: Result): void => {
    const deferred = waiting;
    waiting = undefined;
    deferred?.resolve(result);
  };
  stream.pause();
  stream.receive({
    onData(chunk) {
      stream.pause();
      settle({ done: false, value: chunk });
    },
    onEnd() {
      isDone = true;
      settle({ done: true, value: undefined });
    },
    onReset(error) {
      failure = error;
      const deferred = waiting;
      waiting = undefined;
      deferred?.reject(error);
    },
  });
  return {
    async next() {
      if (isDone) return { done: true, value: undefined };
      if (failure !== undefined) throw failure;
      if (waiting !== undefined) throw new TypeError('next was called before the last one had settled');
      const deferred = createDeferred<Result>();
      waiting = deferred;
      stream.resume();
      return deferred.promise;
    },
    async return() {
      if (!isDone) stream.reset();
      isDone = true;
      return { done: true, value: undefined };
    },
  };
}
