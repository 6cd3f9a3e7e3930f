import type { Clock } from './clock.ts';

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /** Moves time forward and calls what became due, in order, letting promises settle between the calls. */
  advance(milliseconds: number): Promise<void>;
  /** Timers that are waiting. */
  readonly pending: number;
}

interface FakeTimer {
  readonly at: number;
  readonly callback: () => void;
}

/** Creates a clock that stands still. @param start - milliseconds since the epoch */
export function createFakeClock(start = 1_700_000_000_000): FakeClock {
  let time = 0;
  const timers = new Set<FakeTimer>();

  const nextDue = (until: number): FakeTimer | undefined => {
    let next: FakeTimer | undefined;
    for (const timer of timers) {
      if (timer.at <= until && (!next || timer.at < next.at)) next = timer;
    }
    return next;
  };

  async function advance(milliseconds: number): Promise<void> {
    const until = time + milliseconds;
    await settle();
    for (let timer = nextDue(until); timer; timer = nextDue(until)) {
      timers.delete(timer);
      time = timer.at;
      timer.callback();
      await settle();
    }
    time = until;
  }

  return {
    now: () => start + time,
    monotonic: () => time,
    setTimeout: (callback, delay) => {
      const timer: FakeTimer = { at: time + Math.max(0, delay), callback };
      timers.add(timer);
      return timer;
    },
    clearTimeout: (handle) => {
      timers.delete(handle as FakeTimer);
    },
    advance,
    get pending(): number {
      return timers.size;
    },
  };
}

/** Lets promise chains run to their end: a chain of the dialler has fewer than 50 links. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}
