import { describe, expect, it } from 'vitest';
import type { Connection } from '../src/connection/connection.ts';
import type { ConnectionMachine } from '../src/connection/connection-machine.ts';
import type { SecureConnection } from '../src/connection/secure-connection.ts';
import { upgradeOutbound } from '../src/connection/upgrade.ts';
import { TransportError } from '../src/errors.ts';
import { createHostRate } from '../src/host-rate.ts';
import { type AdmissionControl, createAdmissionControl, resolveLimits } from '../src/manager/admission.ts';
import { createBans } from '../src/manager/bans.ts';
import { createClosing } from '../src/manager/closing.ts';
import { createRoster } from '../src/manager/roster.ts';
import { createMemoryPair } from '../src/memory.ts';
import { ResetCode } from '../src/mux/frames.ts';
import { systemClock } from '../src/time/clock.ts';
import { createFakeClock } from '../src/time/fake-clock.ts';
import { createTimerWheel } from '../src/time/timer-wheel.ts';
import { alice, connectPeers } from './connected.ts';
import { ping, windowFrame } from './raw-frames.ts';
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
    rate.charge(at('192.0.2.1'), 1000);
    expect(taken(rate, '192.0.2.1')).toBe(0);
    // Nothing is owed: whoever else is behind the address has what comes from now on.
    await clock.advance(600);
    expect(taken(rate, '192.0.2.1')).toBe(1);
  });

  it('costs nothing where the host may and something else does not allow it', () => {
    const rate = createHostRate(2, createFakeClock());
    for (let i = 0; i < 100; i++) expect(rate.take(at('192.0.2.1'), () => false)).toBe(false);
    expect(taken(rate, '192.0.2.1')).toBe(8);
    let asked = 0;
    const allow = (): boolean => ++asked > 0;
    expect([rate.take(at('192.0.2.1'), allow), asked]).toEqual([false, 0]);
    expect([rate.take(at('127.0.0.1'), () => false), rate.take(at('127.0.0.1'), () => true)]).toEqual([
      false,
      true,
    ]);
  });

  it('does not count on loopback', () => {
    const rate = createHostRate(2, createFakeClock());
    rate.charge(at('127.0.0.1'), 1000);
    expect(taken(rate, '127.0.0.1')).toBe(100);
  });
});

type Act = 'goodbye' | 'garbage' | 'flood' | 'credit' | 'accusation' | 'far fails';

/** The inside of a connection, to send what its own multiplexer never would. */
const machineOf = (connection: Connection): ConnectionMachine =>
  (connection as SecureConnection).handler as ConnectionMachine;

describe('a connection whose other end breaks the protocol', () => {
  /** Connects from there and ends in that way; says whether it was let in. */
  async function connect(to: SecurePeer, host: string, act: Act): Promise<boolean> {
    const [near, far] = createMemoryPair();
    Object.defineProperty(far, 'remoteAddress', { value: `/ip4/${host}/tcp/4000` });
    const refused = to.count('inbound-refused');
    to.manager.accept(far);
    if (to.count('inbound-refused') > refused) return false;
    const connection = await upgradeOutbound(near, { identity: alice.handshakeIdentity(Date.now()) });
    const closed = to.count('connection-closed');
    await until(() => to.manager.connections().length > 0);
    const [theirs] = to.manager.connections();
    if (act === 'goodbye') await connection.close();
    else if (act === 'garbage') near.write([new Uint8Array(100).fill(1)]);
    // What this side says of the other one, or does to itself, is no proof against the host.
    else if (act === 'accusation') machineOf(connection).mux.goAway(ResetCode.flood);
    else if (act === 'far fails') theirs!.abort(new TransportError('PROTOCOL_ERROR', 'of its own'));
    else if (act === 'flood') machineOf(connection).records.send(Array.from({ length: 3500 }, () => ping()));
    else machineOf(connection).records.send([windowFrame(0, 0x7fff_ffff)]);
    machineOf(connection).records.flush();
    if (act === 'accusation') await connection.close();
    await until(() => to.count('connection-closed') > closed);
    connection.abort();
    return true;
  }

  /** How many of ten are let in, when a host may open eight. */
  async function letIn(act: Act): Promise<readonly [count: number, others: boolean]> {
    // Nothing is refilled: the clock stands still.
    const clock = { ...systemClock, monotonic: () => 0 };
    await using b = createSecurePeer(2, { clock, limits: { maxRatePerHost: 2 } });
    let count = 0;
    for (let i = 0; i < 10; i++) if (await connect(b, '192.0.2.1', act)) count++;
    return [count, await connect(b, '192.0.2.2', 'goodbye')];
  }

  it.each<[Act, number]>([
    ['goodbye', 8],
    ['accusation', 8],
    ['far fails', 8],
    ['garbage', 2],
    ['flood', 2],
    ['credit', 2],
  ])('counts as five of those that its host may open, and no other end does: %s', async (act, expected) => {
    expect(await letIn(act)).toEqual([expected, true]);
  });

  it('counts nowhere when this side has dialled it', async () => {
    const blamed: string[] = [];
    const error = new TransportError('FLOOD', 'of theirs', { isViolation: true });
    const control = createAdmissionControl(resolveLimits(), systemClock);
    const admission: AdmissionControl = {
      ...control,
      blame: (address) => blamed.push(address),
      pending: 0,
    };
    for (const isInbound of [true, false]) {
      await using peers = await connectPeers();
      const roster = createRoster({
        localPeer: peers.far.localPeer,
        limits: resolveLimits(),
        admission,
        bans: createBans({ clock: systemClock, store: undefined, onError: () => undefined }),
        clock: systemClock,
        wheel: createTimerWheel({ clock: systemClock }),
        random: Math.random,
        keepAlive: {},
        priorityOf: () => 0,
        emit: () => undefined,
        closing: createClosing(),
        onConnection: () => undefined,
        onPeerConnected: () => undefined,
        onPeerDisconnected: () => undefined,
      });
      const admitted = control.admit('/ip4/192.0.2.1/tcp/1');
      if (typeof admitted === 'string') throw new Error(admitted);
      roster.enroll(peers.far, isInbound ? admitted : undefined);
      peers.far.abort(error);
      await peers.far.closed;
      await new Promise(setImmediate);
    }
    expect(blamed).toHaveLength(1);
  });
});
