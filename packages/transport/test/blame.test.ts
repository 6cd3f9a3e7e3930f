import { describe, expect, it } from 'vitest';
import { upgradeOutbound } from '../src/connection/upgrade.ts';
import { createHostRate } from '../src/host-rate.ts';
import { createMemoryPair } from '../src/memory.ts';
import { systemClock } from '../src/time/clock.ts';
import { createFakeClock } from '../src/time/fake-clock.ts';
import { alice } from './connected.ts';
import { createSecurePeer, type SecurePeer, until } from './secure-peer.ts';

describe('the rate of a host', () => {
  const at = (host: string): string => `/ip4/${host}/tcp/1`;
  const taken = (rate: ReturnType<typeof createHostRate>, host: string): number => {
    let count = 0;
    while (count < 100 && rate.take(at(host))) count++;
    return count;
  };

  it('is what is left of it after what is charged, for that host only', async () => {
    const clock = createFakeClock();
    const rate = createHostRate(2, clock);
    rate.charge(at('192.0.2.1'), 3);
    expect([taken(rate, '192.0.2.1'), taken(rate, '192.0.2.2')]).toEqual([5, 8]);
    rate.charge(at('192.0.2.1'), 3);
    await clock.advance(1_900);
    expect(taken(rate, '192.0.2.1')).toBe(0);
    await clock.advance(200);
    expect(taken(rate, '192.0.2.1')).toBe(1);
  });

  it('comes back however much was charged: a host is kept out for as long as a burst takes, twice, and no longer', async () => {
    const clock = createFakeClock();
    const rate = createHostRate(2, clock);
    for (let i = 0; i < 1000; i++) rate.charge(at('192.0.2.1'), 2);
    await clock.advance(4_400);
    expect(taken(rate, '192.0.2.1')).toBe(0);
    await clock.advance(200);
    expect(taken(rate, '192.0.2.1')).toBe(1);
  });

  it('does not count on loopback', () => {
    const rate = createHostRate(2, createFakeClock());
    rate.charge(at('127.0.0.1'), 1000);
    expect(taken(rate, '127.0.0.1')).toBe(100);
  });
});

describe('a connection that breaks the protocol', () => {
  /** Connects from there and does something to the bytes behind the handshake; says whether it was let in. */
  async function connect(to: SecurePeer, host: string, act: 'garbage' | 'goodbye'): Promise<boolean> {
    const [near, far] = createMemoryPair();
    Object.defineProperty(far, 'remoteAddress', { value: `/ip4/${host}/tcp/4000` });
    const refused = to.count('inbound-refused');
    to.manager.accept(far);
    if (to.count('inbound-refused') > refused) return false;
    const identity = alice.handshakeIdentity(Date.now());
    const connection = await upgradeOutbound(near, { identity });
    const closed = to.count('connection-closed');
    if (act === 'goodbye') await connection.close();
    else near.write([new Uint8Array(100).fill(1)]);
    await until(() => to.count('connection-closed') > closed);
    return true;
  }

  /** How many of ten are let in, when a host may open eight. */
  async function letIn(act: 'garbage' | 'goodbye'): Promise<readonly [count: number, others: boolean]> {
    // Nothing is refilled: the clock stands still.
    const clock = { ...systemClock, monotonic: () => 0 };
    await using b = createSecurePeer(2, { clock, limits: { maxRatePerHost: 2 } });
    let count = 0;
    for (let i = 0; i < 10; i++) if (await connect(b, '192.0.2.1', act)) count++;
    return [count, await connect(b, '192.0.2.2', 'goodbye')];
  }

  it('counts as a second of those that its host may open', async () => {
    expect(await letIn('goodbye')).toEqual([8, true]);
    expect(await letIn('garbage')).toEqual([3, true]);
  });
});
