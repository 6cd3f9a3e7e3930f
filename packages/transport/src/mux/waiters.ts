import { abortable, createDeferred, type Deferred } from '../deferred.ts';

/** Promises for something that is waited for; each caller has its own. Without callers there is nothing. */
export class Waiters {
  #waiting: Deferred<void>[] | undefined;

  add(signal: AbortSignal | undefined): Promise<void> {
    const waiter = createDeferred<void>();
    this.#waiting ??= [];
    this.#waiting.push(waiter);
    return abortable(waiter.promise, signal);
  }

  resolve(): void {
    for (const waiter of this.#take()) waiter.resolve();
  }

  reject(error: Error): void {
    for (const waiter of this.#take()) waiter.reject(error);
  }

  #take(): readonly Deferred<void>[] {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting ?? [];
  }
}
