import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../src/testing.ts';
import { createTimerWheel } from '../src/time/timer-wheel.ts';

describe('timer wheel', () => {
  it('fires every timer once, never early and at most two ticks late', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 400_000 }), { maxLength: 30 }), async (delays) => {
        const clock = createFakeClock();
        const wheel = createTimerWheel({ clock, tick: 250 });
        const lateness: number[] = [];
        for (const delay of delays) {
          await clock.advance(delay % 700);
          const due = clock.monotonic() + delay;
          wheel.schedule(delay, () => lateness.push(clock.monotonic() - due));
        }
        await clock.advance(401_000);
        expect(lateness.length).toBe(delays.length);
        expect(lateness.every((late) => late >= 0 && late <= 500)).toBe(true);
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it('uses one timer of the clock for any number of its own, and none when it is empty', async () => {
    const clock = createFakeClock();
    const wheel = createTimerWheel({ clock });
    const timers = Array.from({ length: 10_000 }, (_, i) => wheel.schedule(i, () => {}));
    expect(clock.pending).toBe(1);
    for (const timer of timers) timer.cancel();
    for (const timer of timers) timer.cancel();
    expect([wheel.size, clock.pending]).toEqual([0, 0]);
  });

  it('goes on after a callback that throws, one that cancels others and one that schedules', async () => {
    const clock = createFakeClock();
    const errors: unknown[] = [];
    const wheel = createTimerWheel({ clock, tick: 10, onError: (error) => errors.push(error) });
    const calls: string[] = [];
    wheel.schedule(5, () => {
      throw new Error('mine');
    });
    wheel.schedule(5, () => victim.cancel());
    const victim = wheel.schedule(6, () => calls.push('cancelled'));
    wheel.schedule(5, () => wheel.schedule(5, () => calls.push('second')));
    await clock.advance(100);
    expect([errors.length, calls]).toEqual([1, ['second']]);
  });

  it('fires nothing after it was disposed of', async () => {
    const clock = createFakeClock();
    const wheel = createTimerWheel({ clock });
    wheel.schedule(1, () => expect.unreachable());
    wheel[Symbol.dispose]();
    await clock.advance(10_000);
    expect([wheel.size, clock.pending]).toEqual([0, 0]);
    expect(() => wheel.schedule(1, () => {})).toThrow(TypeError);
  });

  it('moves and clears the time of a target', async () => {
    const clock = createFakeClock();
    const wheel = createTimerWheel({ clock, tick: 10 });
    const calls: number[] = [];
    const target = { onTimeout: (now: number): number => calls.push(now) };
    wheel.set(target, wheel.now() + 100);
    wheel.set(target, wheel.now() + 1000);
    await clock.advance(500);
    expect(calls).toEqual([]);
    await clock.advance(600);
    wheel.set(target, wheel.now() + 5);
    wheel.set(target, undefined);
    await clock.advance(600);
    expect([calls.length, wheel.size]).toEqual([1, 0]);
  });

  it('catches up after the machine slept for a day', async () => {
    const clock = createFakeClock();
    let skew = 0;
    const wheel = createTimerWheel({ clock: { ...clock, monotonic: () => clock.monotonic() + skew } });
    let fired = 0;
    for (const delay of [100, 60_000, 3_600_000]) wheel.schedule(delay, () => fired++);
    skew = 86_400_000;
    await clock.advance(250);
    expect(fired).toBe(3);
  });
});
