/** Has something to do at a later time. */
export interface TimerTarget {
  /** Called at or after the time that was set; the time is then no longer set. Must not throw. */
  onTimeout(now: number): void;
}

/**
 * Calls many targets back with few real timers. The connection manager has one for all of its connections.
 *
 * Times are monotonic milliseconds.
 */
export interface Timers {
  now(): number;
  /** Calls `target.onTimeout` at or a little after `at`, instead of any time set before; undefined clears it. */
  set(target: TimerTarget, at: number | undefined): void;
}

/**
 * Timers for a few targets: one host timer for the earliest of them, which does not keep the process alive.
 */
export function createTimers(): Timers {
  const times = new Map<TimerTarget, number>();
  let handle: ReturnType<typeof setTimeout> | undefined;
  let armedFor = Number.POSITIVE_INFINITY;
  const now = (): number => performance.now();
  const arm = (at: number): void => {
    clearTimeout(handle);
    armedFor = at;
    if (at === Number.POSITIVE_INFINITY) {
      handle = undefined;
      return;
    }
    // A host timer holds at most 2^31-1 ms.
    handle = setTimeout(run, Math.min(Math.max(1, Math.ceil(at - now())), 0x7fff_ffff));
    (handle as { unref?: () => void }).unref?.();
  };
  const run = (): void => {
    const time = now();
    for (const [target, at] of times) {
      if (at <= time) {
        times.delete(target);
        target.onTimeout(time);
      }
    }
    arm(Math.min(Number.POSITIVE_INFINITY, ...times.values()));
  };
  return {
    now,
    set(target, at) {
      if (at === undefined) {
        if (times.delete(target) && times.size === 0) arm(Number.POSITIVE_INFINITY);
        return;
      }
      times.set(target, at);
      if (at < armedFor) arm(at);
    },
  };
}
