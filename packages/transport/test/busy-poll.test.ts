import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BusyPoll } from '../src/tcp/busy-poll.ts';

let now = 0;
const deferred: (() => void)[] = [];
const createPoll = (): BusyPoll => new BusyPoll((task) => deferred.push(task));

beforeEach(() => {
  now = 1000;
  deferred.length = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => vi.restoreAllMocks());

/** A message comes after `wait` milliseconds, and is worked on for 5 microseconds. */
function read(poll: BusyPoll, wait: number, isSamePeer = true): void {
  now += wait;
  poll.onRead(isSamePeer, now, now + 0.005);
  now += 0.005;
}

/** The event loop turns once. */
function turn(after = 0): void {
  now += after;
  for (const task of deferred.splice(0)) task();
}

/** Milliseconds for which it polls before it gives up. */
function untilSleep(): number {
  const started = now;
  while (deferred.length > 0) turn(0.002);
  return now - started;
}

it('polls between messages that follow each other within microseconds, one task at a time', () => {
  const poll = createPoll();
  for (let i = 0; i < 4; i++) read(poll, 0.08);
  expect(deferred).toHaveLength(0);
  read(poll, 0.08);
  for (let i = 0; i < 1000; i++) {
    expect(deferred).toHaveLength(1);
    turn(0.002);
    read(poll, 0.01);
  }
});

it('stops a tenth of a millisecond after the last message', () => {
  const poll = createPoll();
  for (let i = 0; i < 100; i++) read(poll, 0.05);
  expect(untilSleep()).toBeCloseTo(0.1, 1);
});

it.each([
  ['waits of a network', 0.25, () => true],
  ['messages of two peers in turn', 0.01, (index: number) => index % 2 === 0],
])('never polls for %s', (_, wait, isSamePeer) => {
  const poll = createPoll();
  for (let i = 0; i < 1000; i++) read(poll, wait, isSamePeer(i));
  expect(deferred).toHaveLength(0);
});

it('polls in vain for two thousandths of the time at most, where no poll catches anything', () => {
  const poll = createPoll();
  let polled = 0;
  const started = now;
  for (let i = 0; i < 100_000; i++) {
    // The other side answers only when this one sleeps, as on a processor that both share.
    polled += untilSleep();
    read(poll, 0.03);
  }
  expect(polled / (now - started)).toBeLessThan(0.002);
});

it('polls again without long rests once polls catch what comes', () => {
  const poll = createPoll();
  for (let i = 0; i < 100_000; i++) {
    untilSleep();
    read(poll, 0.03);
  }
  while (deferred.length === 0) read(poll, 0.03);
  for (let i = 0; i < 100; i++) {
    turn(0.002);
    read(poll, 0.01);
  }
  untilSleep();
  const slept = now;
  while (deferred.length === 0) read(poll, 0.03);
  expect(now - slept).toBeLessThan(1);
});
