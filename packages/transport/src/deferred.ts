/** A promise with its two ends. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

export function createDeferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  ignoreUnhandled(promise);
  return { promise, resolve, reject };
}

/** A rejected promise that nobody has to look at. */
export function rejected(reason: unknown): Promise<never> {
  const promise = Promise.reject(reason);
  ignoreUnhandled(promise);
  return promise;
}

/** The promise, or a rejection with the signal's reason as soon as it aborts. Leaves no listener behind. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  if (signal.aborted) return rejected(signal.reason);
  const deferred = createDeferred<T>();
  const onAbort = (): void => deferred.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const stop = (): void => signal.removeEventListener('abort', onAbort);
  promise.then(deferred.resolve, deferred.reject).then(stop, stop);
  return deferred.promise;
}

/** Whoever asked and did not look must not end the process: the failure is also reported where it happened. */
function ignoreUnhandled(promise: Promise<unknown>): void {
  promise.catch(() => undefined);
}
