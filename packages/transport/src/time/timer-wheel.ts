import { type Clock, systemClock } from './clock.ts';
import type { Timers, TimerTarget } from './timers.ts';

/** One timer of a {@link TimerWheel}. */
export interface WheelTimer {
  /** Idempotent; nothing is called afterwards. */
  cancel(): void;
}

/** Many coarse timers behind a single timer of the clock; `now` and `set` are on its monotonic time. */
export interface TimerWheel extends Timers, Disposable {
  /** Calls back once, `delay` milliseconds from now or up to two ticks later, never earlier. */
  schedule(delay: number, callback: () => void): WheelTimer;
  /** Timers that are waiting. */
  readonly size: number;
}

/** How a timer wheel keeps time. */
export interface TimerWheelOptions {
  readonly clock?: Clock;
  /**
   * Milliseconds between looks at the wheel: the precision of every timer on it.
   * @defaultValue 250, a hundredth of the shortest keep-alive
   */
  readonly tick?: number;
  /** What is done with an exception of a callback. By default it is thrown again outside of the wheel. */
  readonly onError?: (error: unknown) => void;
}

interface Entry {
  /** Tick number at which it is due. */
  readonly due: number;
  /** What is called: a target of its own needs no closure. */
  readonly target: TimerTarget | (() => void);
}

/** Slots of the wheel: 512 of 250 ms are 128 s, so that a keep-alive is looked at once or twice. */
const SLOTS = 512;

/**
 * A hashed timer wheel (Varghese and Lauck, scheme 6): start and cancel are O(1), and however many connections wait,
 * one timer of the clock runs, and none when the wheel is empty.
 */
export function createTimerWheel(options: TimerWheelOptions = {}): TimerWheel {
  const { clock = systemClock, tick = 250, onError = throwLater } = options;
  const targets = new Map<TimerTarget, Entry>();
  const slots = Array.from({ length: SLOTS }, () => new Set<Entry>());
  const origin = clock.monotonic();
  let size = 0;
  let current = 0;
  let handle: unknown;
  let isDisposed = false;

  const tickOf = (time: number): number => Math.floor((time - origin) / tick);

  function add(delay: number, target: Entry['target']): Entry {
    if (size === 0) current = Math.max(current, tickOf(clock.monotonic()));
    const due = Math.max(current, tickOf(clock.monotonic() + delay)) + 1;
    const entry: Entry = { due, target };
    slots[due % SLOTS]!.add(entry);
    size++;
    handle ??= clock.setTimeout(turn, tick);
    return entry;
  }

  function schedule(delay: number, callback: () => void): WheelTimer {
    if (isDisposed) throw new TypeError('the timer wheel is disposed of');
    if (!(delay >= 0)) throw new RangeError('a delay is not negative');
    const entry = add(delay, callback);
    return { cancel: () => remove(entry) };
  }

  function set(target: TimerTarget, at: number | undefined): void {
    const before = targets.get(target);
    if (before !== undefined) remove(before);
    targets.delete(target);
    if (at === undefined || isDisposed) return;
    targets.set(target, add(Math.max(0, at - clock.monotonic()), target));
  }

  function remove(entry: Entry): void {
    if (slots[entry.due % SLOTS]!.delete(entry)) size--;
    if (size === 0) stop();
  }

  function call({ target }: Entry): void {
    if (typeof target === 'function') target();
    else {
      targets.delete(target);
      target.onTimeout(clock.monotonic());
    }
  }

  function turn(): void {
    handle = undefined;
    const target = tickOf(clock.monotonic());
    // After a long sleep of the machine each slot needs only one visit.
    const first = Math.max(current + 1, target - SLOTS + 1);
    current = Math.max(current, target);
    for (let visited = first; visited <= target; visited++) fire(slots[visited % SLOTS]!, target);
    if (size > 0 && !isDisposed) handle ??= clock.setTimeout(turn, tick);
  }

  function fire(slot: Set<Entry>, target: number): void {
    for (const entry of [...slot]) {
      if (entry.due > target || !slot.delete(entry)) continue;
      size--;
      try {
        call(entry);
      } catch (error) {
        onError(error);
      }
    }
  }

  function stop(): void {
    clock.clearTimeout(handle);
    handle = undefined;
  }

  function dispose(): void {
    isDisposed = true;
    for (const slot of slots) slot.clear();
    targets.clear();
    size = 0;
    stop();
  }

  return {
    schedule,
    set,
    now: () => clock.monotonic(),
    get size(): number {
      return size;
    },
    [Symbol.dispose]: dispose,
  };
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
