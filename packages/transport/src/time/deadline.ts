import type { TransportError } from '../errors.ts';
import type { TimerWheel } from './timer-wheel.ts';

/** A signal that ends with its parent or when the time is over. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** Ends it now. */
  abort(reason: unknown): void;
}

/** Dispose of it when the work is done: the parent signal may live for ever and must not collect listeners. */
export function createDeadline(
  wheel: TimerWheel,
  milliseconds: number,
  reason: () => TransportError,
  parent?: AbortSignal,
): Deadline {
  const controller = new AbortController();
  const follow = (): void => controller.abort(parent?.reason);
  if (parent?.aborted) follow();
  else parent?.addEventListener('abort', follow, { once: true });
  const timer = wheel.schedule(milliseconds, () => controller.abort(reason()));
  return {
    signal: controller.signal,
    abort: (why) => controller.abort(why),
    [Symbol.dispose]: () => {
      timer.cancel();
      parent?.removeEventListener('abort', follow);
    },
  };
}

/** Waits for a promise, or rejects with the signal's reason. The promise goes on by itself. */
export function abandonable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) {
      promise.catch(() => {});
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
