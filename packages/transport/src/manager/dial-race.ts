import { TransportError } from '../errors.ts';
import type { Clock } from '../time/clock.ts';

/** One way to get a result; gives up when its signal ends. */
export type DialAttempt<T> = (signal: AbortSignal) => Promise<T>;

export interface DialRaceOptions<T> {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the next attempt starts beside one that has not answered: RFC 8305 §5 recommends 250. */
  readonly attemptDelay?: number;
  /** Attempts that run at once at most. @defaultValue 4 */
  readonly maxParallel?: number;
  /** Gets a result that came after the race was won or given up. */
  readonly discard: (late: T) => void;
}

/**
 * Happy eyeballs (RFC 8305 §5): starts the attempts in order, the next one as soon as one fails or the delay has passed;
 * the first success wins and ends the others.
 * @throws the signal's reason; an only error as it is; TransportError `DIAL_FAILED` with an AggregateError as its cause.
 */
export function raceDials<T>(attempts: readonly DialAttempt<T>[], options: DialRaceOptions<T>): Promise<T> {
  const { clock, signal, attemptDelay = 250, maxParallel = 4, discard } = options;
  return new Promise((resolve, reject) => {
    const controller = new AbortController();
    const errors: unknown[] = [];
    let started = 0;
    let running = 0;
    let isOver = false;
    let timer: unknown;

    const finish = (settle: () => void, reason: unknown): void => {
      isOver = true;
      clock.clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      settle();
      controller.abort(reason);
    };
    const onAbort = (): void => finish(() => reject(signal?.reason), signal?.reason);

    const startNext = (): void => {
      clock.clearTimeout(timer);
      if (started < attempts.length && running < maxParallel) {
        const attempt = attempts[started++]!;
        running++;
        attempt(controller.signal).then(onSuccess, onFailure);
      }
      if (started < attempts.length) timer = clock.setTimeout(startNext, attemptDelay);
    };
    const onSuccess = (value: T): void => {
      running--;
      if (isOver) discard(value);
      else finish(() => resolve(value), new TransportError('SUPERSEDED', 'another address answered first'));
    };
    const onFailure = (error: unknown): void => {
      running--;
      if (isOver) return;
      errors.push(error);
      if (errors.length === attempts.length) finish(() => reject(allFailed(errors)), errors[0]);
      else startNext();
    };

    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    if (attempts.length === 0) {
      reject(new TransportError('NO_ADDRESS', 'there is no address to dial'));
      return;
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    startNext();
  });
}

function allFailed(errors: readonly unknown[]): unknown {
  if (errors.length === 1) return errors[0];
  const cause = new AggregateError(errors);
  return new TransportError('DIAL_FAILED', `none of ${errors.length} addresses answered`, { cause });
}
