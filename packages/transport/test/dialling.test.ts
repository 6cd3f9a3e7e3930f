import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AddressEntry } from '../src/address/address-book.ts';
import type { TransportError } from '../src/errors.ts';
import { backOffDelay } from '../src/manager/back-off.ts';
import { orderCandidates } from '../src/manager/dial-order.ts';
import { type DialAttempt, raceDials } from '../src/manager/dial-race.ts';
import { createFakeClock, type FakeClock } from '../src/testing.ts';
import type { Transport } from '../src/transport.ts';

interface Attempts {
  readonly log: string[];
  make(name: string, outcome: { ok?: number; fail?: number }): DialAttempt<string>;
}

function createAttempts(clock: FakeClock): Attempts {
  const log: string[] = [];
  return {
    log,
    make:
      (name, { ok, fail }) =>
      (signal) => {
        log.push(`${clock.monotonic()} start ${name}`);
        return new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => {
            log.push(`${clock.monotonic()} abort ${name}`);
            reject(signal.reason);
          });
          if (ok !== undefined) clock.setTimeout(() => resolve(name), ok);
          if (fail !== undefined) clock.setTimeout(() => reject(new Error(name)), fail);
        });
      },
  };
}

describe('happy eyeballs (RFC 8305)', () => {
  it('starts the next attempt after the delay, and ends the others when one answers', async () => {
    const clock = createFakeClock();
    const { log, make } = createAttempts(clock);
    const race = raceDials([make('v6', {}), make('v4', { ok: 30 }), make('last', { ok: 1 })], {
      clock,
      discard: () => expect.unreachable(),
    });
    await clock.advance(1_000);
    expect(await race).toBe('v4');
    expect(log).toEqual(['0 start v6', '250 start v4', '280 abort v6', '280 abort v4']);
    expect(clock.pending).toBe(0);
  });

  it('does not wait for the delay after a failure', async () => {
    const clock = createFakeClock();
    const { log, make } = createAttempts(clock);
    const race = raceDials([make('a', { fail: 10 }), make('b', { ok: 10 })], { clock, discard: () => {} });
    await clock.advance(20);
    expect(await race).toBe('b');
    expect(log).toEqual(['0 start a', '10 start b', '20 abort a', '20 abort b']);
  });

  it('gives every late success back, and fails with all reasons when all fail', async () => {
    const clock = createFakeClock();
    const late: string[] = [];
    const stubborn: DialAttempt<string> = () =>
      new Promise((resolve) => clock.setTimeout(() => resolve('late'), 500));
    const { make } = createAttempts(clock);
    const race = raceDials([stubborn, make('b', { ok: 10 })], {
      clock,
      discard: (value) => late.push(value),
    });
    await clock.advance(1_000);
    expect([await race, late]).toEqual(['b', ['late']]);
    const failing = raceDials([make('x', { fail: 1 }), make('y', { fail: 1 })], { clock, discard: () => {} });
    const result = Promise.allSettled([failing]);
    await clock.advance(1_000);
    const reason = ((await result)[0] as PromiseRejectedResult).reason as TransportError;
    expect(reason.code).toBe('DIAL_FAILED');
    expect((reason.cause as AggregateError).errors.map((error: Error) => error.message)).toEqual(['x', 'y']);
  });

  it('ends with the signal, before and in the middle, and has no address for nobody', async () => {
    const clock = createFakeClock();
    const { log, make } = createAttempts(clock);
    const reason = new Error('enough');
    const options = { clock, discard: (): void => {} };
    const controller = new AbortController();
    const result = Promise.allSettled([
      raceDials([make('a', {})], { ...options, signal: AbortSignal.abort(reason) }),
      raceDials([make('b', {}), make('c', {})], { ...options, signal: controller.signal }),
      raceDials([], options),
    ]);
    await clock.advance(100);
    controller.abort(reason);
    await clock.advance(1_000);
    const reasons = (await result).map((one) => (one as PromiseRejectedResult).reason);
    expect(reasons.slice(0, 2)).toEqual([reason, reason]);
    expect(reasons[2]).toMatchObject({ code: 'NO_ADDRESS' });
    expect(log).toEqual(['0 start b', '100 abort b']);
    expect(clock.pending).toBe(0);
  });

  it('settles exactly once, and never runs more at once than it may, for any timing', async () => {
    const outcome = fc.record({ delay: fc.nat(2_000), isOk: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(outcome, { minLength: 1, maxLength: 10 }), async (outcomes) => {
        const clock = createFakeClock();
        let running = 0;
        let most = 0;
        let winners = 0;
        const attempts = outcomes.map(
          ({ delay, isOk }): DialAttempt<number> =>
            () => {
              most = Math.max(most, ++running);
              return new Promise((resolve, reject) => {
                clock.setTimeout(() => {
                  running--;
                  if (isOk) resolve(delay);
                  else reject(new Error('no'));
                }, delay);
              });
            },
        );
        const race = raceDials(attempts, { clock, maxParallel: 3, discard: () => winners++ });
        const settled = race.then(
          () => 'won',
          () => 'lost',
        );
        await clock.advance(30_000);
        expect(await settled).toBe(outcomes.some(({ isOk }) => isOk) ? 'won' : 'lost');
        expect(most).toBeLessThanOrEqual(3);
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 50 },
    );
  });
});

describe('order of dialling', () => {
  const transport = (name: string, part: string): Transport =>
    ({ name, canDial: (text: string) => text.includes(part) }) as unknown as Transport;
  const ws = transport('ws', '/ws');
  const tcp = {
    ...transport('tcp', '/tcp'),
    canDial: (text: string) => !text.includes('/ws') && text.includes('/tcp'),
  };
  const entry = (address: string, more: Partial<AddressEntry> = {}): AddressEntry => ({
    address,
    source: 'learned',
    lastSuccess: 0,
    failures: 0,
    retryAt: 0,
    expiresAt: Number.MAX_SAFE_INTEGER,
    reach: 'global',
    ...more,
  });
  const order = (entries: AddressEntry[], policy = {}): string[] =>
    orderCandidates(entries, [tcp, ws], policy, 1_000).map(({ address }) => address.text);

  it('prefers what worked last, then the preferred transport, families in turn, and rests what failed', () => {
    const entries = [
      entry('/ip4/192.0.2.1/tcp/1'),
      entry('/ip4/192.0.2.2/tcp/1', { failures: 1, retryAt: 2_000 }),
      entry('/ip4/192.0.2.3/tcp/1'),
      entry('/ip6/2001:db8::1/tcp/1'),
      entry('/ip4/192.0.2.4/tcp/1/ws'),
      entry('/ip4/192.0.2.5/tcp/1/ws', { lastSuccess: 500 }),
      entry('/ip4/192.0.2.6/tcp/1', { lastSuccess: 900 }),
      entry('/ip4/192.0.2.7/udp/1'),
    ];
    expect(order(entries)).toEqual([
      '/ip4/192.0.2.6/tcp/1',
      '/ip4/192.0.2.5/tcp/1/ws',
      '/ip6/2001:db8::1/tcp/1',
      '/ip4/192.0.2.1/tcp/1',
      '/ip4/192.0.2.3/tcp/1',
      '/ip4/192.0.2.4/tcp/1/ws',
      '/ip4/192.0.2.2/tcp/1',
    ]);
  });

  it('leaves out literal addresses that lead nearer than who told them, also those of an old store', () => {
    const entries = [
      entry('/ip4/192.168.1.1/tcp/1'),
      entry('/ip4/192.168.1.2/tcp/1', { reach: 'private' }),
      entry('/ip4/127.0.0.1/tcp/1', { reach: 'private' }),
      entry('/ip4/127.0.0.1/tcp/2', { reach: 'loopback' }),
      entry('/dns4/peer.example/tcp/1'),
    ];
    expect(order(entries)).toEqual([
      '/dns4/peer.example/tcp/1',
      '/ip4/192.168.1.2/tcp/1',
      '/ip4/127.0.0.1/tcp/2',
    ]);
  });

  it('follows the policy: transports, forbidden addresses, and how many', () => {
    const entries = [
      entry('/ip4/192.0.2.1/tcp/1'),
      entry('/ip4/192.0.2.4/tcp/1/ws'),
      entry('/ip4/10.0.0.1/tcp/1/ws'),
    ];
    const allow = ({ host }: { host: string }): boolean => !host.startsWith('10.');
    expect(order(entries, { transports: ['ws'], allow })).toEqual([
      '/ip4/192.0.2.4/tcp/1/ws',
      '/ip4/192.0.2.1/tcp/1',
    ]);
    expect(order(Array.from({ length: 50 }, (_, i) => entry(`/ip4/192.0.2.1/tcp/${i + 1}`))).length).toBe(8);
  });
});

describe('back-off', () => {
  it('doubles up to its maximum, jittered between half and all of it', () => {
    const delays = (random: number): number[] =>
      [1, 2, 3, 9, 10, 1000].map((failures) => backOffDelay(failures, () => random));
    expect(delays(0)).toEqual([500, 1_000, 2_000, 128_000, 150_000, 150_000]);
    expect(delays(1)).toEqual([1_000, 2_000, 4_000, 256_000, 300_000, 300_000]);
  });
});
