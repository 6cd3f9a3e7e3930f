import { type PeerId, peerIdFromPublicKey } from '@nzcore/identity';
import { describe, expect, it } from 'vitest';
import { formatSocketAddress } from '../src/address/socket-address.ts';
import {
  type ConnectionManager,
  type ConnectionManagerOptions,
  createConnectionManager,
} from '../src/manager/connection-manager.ts';
import type { TransportEvent } from '../src/manager/transport-event.ts';
import {
  createMemoryNetwork,
  createMemoryPair,
  createMemoryTransport,
  type MemoryNetwork,
} from '../src/memory.ts';
import { createFakeClock, type FakeClock } from '../src/testing.ts';
import type { Transport } from '../src/transport.ts';
import { createPlainUpgrader, type PlainUpgrader } from './plain-upgrader.ts';

/** PeerIds in this order: A decides about duplicates with any other. */
const IDS = Array.from({ length: 7 }, (_, i) => peerIdFromPublicKey(new Uint8Array(32).fill(i + 1))).sort();
const [A, B, C] = IDS as [PeerId, PeerId, PeerId];

interface Peer {
  readonly manager: ConnectionManager;
  readonly upgrader: PlainUpgrader;
  readonly events: TransportEvent[];
  readonly types: () => string[];
}

interface World {
  readonly clock: FakeClock;
  readonly network: MemoryNetwork;
  peer(id: PeerId, options?: Partial<ConnectionManagerOptions>): Peer;
  /** Lets everything that is under way happen, without letting time pass. */
  settle(): Promise<void>;
}

function createWorld(): World {
  const clock = createFakeClock();
  const network = createMemoryNetwork();
  const defer = (deliver: () => void): void => {
    clock.setTimeout(deliver, 0);
  };
  return {
    clock,
    network,
    settle: () => clock.advance(0),
    peer: (id, options = {}) => {
      const upgrader = createPlainUpgrader({ peer: id });
      const events: TransportEvent[] = [];
      const manager = createConnectionManager({
        localPeer: id,
        upgrader,
        transports: [createMemoryTransport({ network, defer })],
        clock,
        random: () => 0.5,
        onEvent: (event) => events.push(event),
        ...options,
      });
      return { manager, upgrader, events, types: () => events.map(({ type }) => type) };
    },
  };
}

async function settled<T>(
  world: World,
  promise: Promise<T>,
  milliseconds = 0,
): Promise<PromiseSettledResult<T>> {
  const [result] = await Promise.all([Promise.allSettled([promise]), world.clock.advance(milliseconds)]);
  return result[0]!;
}

async function connected(world: World): Promise<{ a: Peer; b: Peer }> {
  const a = world.peer(A);
  const b = world.peer(B);
  await b.manager.listen('/memory/b');
  await a.manager.listen('/memory/a');
  a.manager.addressBook.add(B, ['/memory/b'], { source: 'manual' });
  b.manager.addressBook.add(A, ['/memory/a'], { source: 'manual' });
  expect((await settled(world, a.manager.connect(B))).status).toBe('fulfilled');
  return { a, b };
}

describe('connection manager', () => {
  it('gives one pooled connection to all who ask at once, and to who asks later', async () => {
    const world = createWorld();
    const a = world.peer(A);
    const b = world.peer(B);
    await b.manager.listen('/memory/b');
    a.manager.addressBook.add(B, ['/memory/b'], { source: 'manual' });
    const asked = Promise.all(Array.from({ length: 50 }, () => a.manager.connect(B)));
    const result = await settled(world, asked);
    const connections = new Set((result as PromiseFulfilledResult<unknown[]>).value);
    expect(connections.size).toBe(1);
    expect(connections.has(await a.manager.connect(B))).toBe(true);
    expect([a.manager.connections().length, b.manager.connections().length]).toEqual([1, 1]);
    expect(b.types()).toEqual(['listening', 'connection-opened', 'peer-connected']);
  });

  it('ends a dial only when all who wait for it have given up', async () => {
    const world = createWorld();
    const hanging = createHangingTransport();
    const a = world.peer(A, { transports: [hanging.transport] });
    a.manager.addressBook.add(B, ['/memory/b'], { source: 'manual' });
    const first = new AbortController();
    const second = new AbortController();
    const dials = [first, second].map(({ signal }) => a.manager.connect(B, { signal }));
    const results = Promise.allSettled(dials);
    await world.settle();
    first.abort(new Error('first'));
    await world.settle();
    expect(hanging.aborted).toBe(0);
    second.abort(new Error('second'));
    expect((await results).map((one) => (one as PromiseRejectedResult).reason.message)).toEqual([
      'first',
      'second',
    ]);
    expect([hanging.dials, hanging.aborted]).toEqual([1, 1]);
  });

  it('begins anew for who asks when the last of the others has just given up', async () => {
    const world = createWorld();
    const a = world.peer(A);
    const b = world.peer(B);
    await b.manager.listen('/memory/b');
    a.manager.addressBook.add(B, ['/memory/b'], { source: 'manual' });
    const controller = new AbortController();
    const first = settled(world, a.manager.connect(B, { signal: controller.signal }));
    // Until the address book is loaded and the dial is under way.
    for (let i = 0; i < 10; i++) await Promise.resolve();
    controller.abort(new Error('first'));
    const second = settled(world, a.manager.connect(B));
    expect((await first).status).toBe('rejected');
    expect((await second).status).toBe('fulfilled');
  });

  it('refuses PeerIds and addresses that are none, itself, and peers without an address', async () => {
    const world = createWorld();
    const a = world.peer(A);
    for (const [target, code] of [
      ['nonsense', 'INVALID_ADDRESS'],
      ['/ip4/1.2.3.4', 'INVALID_ADDRESS'],
      [A, 'DIAL_FAILED'],
      [B, 'NO_ADDRESS'],
      ['/ip4/192.0.2.1/udp/1', 'NO_ADDRESS'],
      ['/memory/nobody', 'DIAL_FAILED'],
    ] as const) {
      const result = await settled(world, a.manager.connect(target));
      expect(result, target).toMatchObject({ status: 'rejected', reason: { code } });
    }
  });

  it('connects to whoever answers at an address, and remembers it as proven', async () => {
    const world = createWorld();
    const a = world.peer(A);
    await world.peer(B).manager.listen('/memory/b');
    const result = await settled(world, a.manager.connect('/memory/b'));
    expect(result).toMatchObject({ value: { remotePeer: B } });
    expect(a.manager.addressBook.addresses(B)).toMatchObject([{ address: '/memory/b', source: 'proven' }]);
  });

  it('fails when somebody else answers, and notes the failure at the address', async () => {
    const world = createWorld();
    const a = world.peer(A);
    await world.peer(C).manager.listen('/memory/b');
    const result = await settled(world, a.manager.connect(`/memory/b/p2p/${B}`));
    expect(result).toMatchObject({ reason: { code: 'PEER_MISMATCH' } });
    expect(a.manager.connections()).toEqual([]);
  });

  it('sends the cached static key on the next dial, and the long handshake when none can be made with it', async () => {
    const world = createWorld();
    const b = world.peer(B);
    await b.manager.listen('/memory/b');
    const upgrader = createPlainUpgrader({ peer: A, refusesKeys: true });
    const a = world.peer(A, { upgrader });
    await settled(world, a.manager.connect('/memory/b'));
    a.manager.connections()[0]!.abort();
    await world.settle();
    const again = await settled(world, a.manager.connect(B));
    expect(again.status).toBe('fulfilled');
    expect(upgrader.keysSeen.map((key) => key?.length)).toEqual([undefined, 32, undefined]);
    expect(a.manager.addressBook.staticKey(B)?.length).toBe(32);
  });
});

describe('simultaneous dials', () => {
  it.each([
    [A, B],
    [B, A],
  ])('leave exactly one connection, the same on both sides (%s first)', async (first, second) => {
    const world = createWorld();
    const one = world.peer(first);
    const two = world.peer(second);
    await one.manager.listen('/memory/one');
    await two.manager.listen('/memory/two');
    one.manager.addressBook.add(second, ['/memory/two'], { source: 'manual' });
    two.manager.addressBook.add(first, ['/memory/one'], { source: 'manual' });
    const both = Promise.all([one.manager.connect(second), two.manager.connect(first)]);
    expect((await settled(world, both, 5_000)).status).toBe('fulfilled');
    const [mine, theirs] = [one.manager.connections(), two.manager.connections()];
    expect([mine.length, theirs.length]).toEqual([1, 1]);
    expect(mine[0]!.direction).not.toBe(theirs[0]!.direction);
    expect([mine[0]!.isOpen, theirs[0]!.isOpen]).toEqual([true, true]);
    expect([...one.types(), ...two.types()].filter((type) => type === 'connection-superseded').length).toBe(
      1,
    );
    expect(one.types().filter((type) => type === 'peer-disconnected')).toEqual([]);
  });

  it.each([A, B])(
    'keep the new connection of a peer that came back before it was missed (%s)',
    async (returning) => {
      const world = createWorld();
      const { a, b } = await connected(world);
      const stays = returning === A ? b : a;
      const gone = returning === A ? a : b;
      gone.upgrader.freeze();
      const back = world.peer(returning);
      const address = returning === A ? '/memory/b' : '/memory/a';
      expect((await settled(world, back.manager.connect(address))).status).toBe('fulfilled');
      await world.clock.advance(12_000);
      expect(stays.manager.connections().length).toBe(1);
      expect(back.manager.connections().length).toBe(1);
      expect(stays.manager.connectionTo(returning)?.isOpen).toBe(true);
    },
  );
});

describe('liveness', () => {
  it('aborts a peer that is silent for the interval and does not answer in time', async () => {
    const world = createWorld();
    const a = world.peer(A);
    const b = world.peer(B, { keepAlive: { interval: 1e9 } });
    await b.manager.listen('/memory/b');
    await settled(world, a.manager.connect('/memory/b'));
    b.upgrader.freeze();
    await world.clock.advance(18_000 + 25_000);
    expect(a.manager.connections().length).toBe(1);
    await world.clock.advance(12_000);
    expect(a.manager.connections()).toEqual([]);
    expect(a.events.at(-1)).toMatchObject({
      type: 'peer-disconnected',
      error: { code: 'PEER_UNRESPONSIVE' },
    });
  });

  it('keeps a quiet peer that answers, for an hour, with two timers of the clock at most', async () => {
    const world = createWorld();
    const { a, b } = await connected(world);
    await world.clock.advance(3_600_000);
    expect([a.manager.connections().length, b.manager.connections().length]).toEqual([1, 1]);
    expect(world.clock.pending).toBeLessThanOrEqual(2);
  });
});

describe('kept peers', () => {
  it('are dialled again with growing delays, and at once counted anew after a stable connection', async () => {
    const world = createWorld();
    const a = world.peer(A);
    a.manager.addressBook.add(B, ['/memory/b'], { source: 'manual' });
    a.manager.keep(B);
    await world.clock.advance(20_000);
    const delays = (): number[] =>
      a.events.flatMap((event) => (event.type === 'reconnect-scheduled' ? [event.delay] : []));
    expect(delays()).toEqual([750, 1500, 3000, 6000, 12_000]);
    const b = world.peer(B);
    await b.manager.listen('/memory/b');
    await world.clock.advance(12_500);
    expect(a.manager.connectionTo(B)?.isOpen).toBe(true);
    await world.clock.advance(61_000);
    a.manager.connections()[0]!.abort();
    await world.clock.advance(2_000);
    expect(delays().slice(5)).toEqual([750]);
    expect(a.manager.connectionTo(B)?.isOpen).toBe(true);
  });

  it('are left alone after release, and after close', async () => {
    const world = createWorld();
    const a = world.peer(A);
    a.manager.keep(B);
    await world.clock.advance(5_000);
    a.manager.release(B);
    const count = a.events.length;
    await world.clock.advance(3_600_000);
    expect(a.events.length).toBe(count);
    a.manager.keep(B);
    await world.settle();
    await a.manager.close();
    await world.clock.advance(3_600_000);
    expect(world.clock.pending).toBe(0);
  });
});

describe('limits', () => {
  const from = (host: string): ReturnType<typeof createMemoryPair> =>
    createMemoryPair(formatSocketAddress('tcp', host, 5), '/memory/b');

  it('drops who says nothing within the handshake time, and the oldest of more than may wait', async () => {
    const world = createWorld();
    const b = world.peer(B, { limits: { maxPendingInbound: 3 } });
    for (let i = 0; i < 5; i++) b.manager.accept(from(`192.0.${i}.1`)[1]);
    await world.settle();
    const codes = (): unknown[] =>
      b.events.map((event) =>
        event.type === 'handshake-failed' ? (event.error as { code: string }).code : event.type,
      );
    expect(codes()).toEqual(['LIMIT_EXCEEDED', 'LIMIT_EXCEEDED']);
    await world.clock.advance(11_000);
    expect(codes().slice(2)).toEqual(['HANDSHAKE_TIMEOUT', 'HANDSHAKE_TIMEOUT', 'HANDSHAKE_TIMEOUT']);
    b.manager.accept(from('192.0.2.1')[1]);
    expect(b.events.length).toBe(5);
    await b.manager.close();
  });

  it('lets an honest peer in while silent ones fill every place', async () => {
    const world = createWorld();
    const b = world.peer(B, { limits: { maxPendingInbound: 3 } });
    await b.manager.listen('/memory/b');
    for (let i = 0; i < 50; i++) b.manager.accept(from(`192.0.${i}.1`)[1]);
    expect((await settled(world, world.peer(A).manager.connect('/memory/b'))).status).toBe('fulfilled');
    await settled(world, b.manager.close());
  });

  it('counts hosts, IPv6 customers and subnets, and forgets them with the connection', async () => {
    const world = createWorld();
    const b = world.peer(B, { limits: { maxPerHost: 2, maxPerSubnet: 3, maxRatePerHost: 100 } });
    const reasons = (): string[] =>
      b.events.flatMap((event) => (event.type === 'inbound-refused' ? [event.reason] : []));
    const remotes = ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.3'].map(from);
    for (const [, far] of remotes) b.manager.accept(far);
    expect(reasons()).toEqual(['host', 'subnet']);
    for (const [near] of remotes) near.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    await world.settle();
    b.manager.accept(from('192.0.2.3')[1]);
    expect(reasons().length).toBe(2);
    await b.manager.close();
  });

  it('counts an IPv6 customer by its /64, its provider by /48, and an IPv4 address that came as IPv6 as itself', async () => {
    const world = createWorld();
    const b = world.peer(B, { limits: { maxPerHost: 2, maxPerSubnet: 5, maxRatePerHost: 100 } });
    const reasonOf = (host: string): string | undefined => {
      const before = b.events.length;
      b.manager.accept(from(host)[1]);
      const refusal = b.events.slice(before).find((event) => event.type === 'inbound-refused');
      return refusal?.type === 'inbound-refused' ? refusal.reason : undefined;
    };
    const hosts = ['2001:db8:1:1::1', '2001:db8:1:1:ffff::2', '2001:db8:1:1::3', '2001:db8:1:2::1'];
    expect(hosts.map(reasonOf)).toEqual([undefined, undefined, 'host', undefined]);
    const others = ['2001:db8:1:3::1', '2001:db8:1:4::1', '2001:db8:1:5::1', '2001:db8:2:5::1'];
    expect(others.map(reasonOf)).toEqual([undefined, undefined, 'subnet', undefined]);
    const mapped = ['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.1', '::ffff:c000:201'];
    expect(mapped.map(reasonOf)).toEqual([undefined, undefined, 'host', 'host']);
    const closing = b.manager.close();
    await world.clock.advance(10_000);
    await closing;
  });

  it('bounds the rate of one host', async () => {
    const world = createWorld();
    const b = world.peer(B, { limits: { maxRatePerHost: 1, maxPerHost: 1000, maxPerSubnet: 1000 } });
    for (let i = 0; i < 6; i++) b.manager.accept(from('192.0.2.1')[1]);
    expect(b.types()).toEqual(['inbound-refused', 'inbound-refused']);
    await world.clock.advance(2_000);
    for (let i = 0; i < 3; i++) b.manager.accept(from('192.0.2.1')[1]);
    expect(b.types().filter((type) => type === 'inbound-refused').length).toBe(3);
    await b.manager.close();
  });

  it('prunes an idle connection of low priority for a new dial, and refuses inbound when all are worthier', async () => {
    const world = createWorld();
    const hub = world.peer(A, { limits: { maxConnections: 2, maxInbound: 2 } });
    await hub.manager.listen('/memory/a');
    const others = IDS.slice(3).map((id) => world.peer(id));
    await others[3]!.manager.listen('/memory/g');
    for (const other of others.slice(0, 2)) await settled(world, other.manager.connect('/memory/a'));
    hub.manager.setPriority(others[0]!.manager.localPeer, 5);
    hub.manager.setPriority(others[1]!.manager.localPeer, 1);
    await settled(world, others[2]!.manager.connect('/memory/a'), 100);
    expect(hub.manager.connections().map(({ remotePeer }) => remotePeer)).toEqual(
      others.slice(0, 2).map(({ manager }) => manager.localPeer),
    );
    expect(others[2]!.manager.connections()).toEqual([]);
    await settled(world, hub.manager.connect('/memory/g'), 2_000);
    expect(hub.manager.connections().map(({ remotePeer }) => remotePeer)).toEqual(
      [others[0], others[3]].map((one) => one!.manager.localPeer),
    );
    expect(hub.types()).toContain('connection-pruned');
  });

  it('holds one peer to a few connections', async () => {
    const world = createWorld();
    const b = world.peer(B, { limits: { maxPerPeer: 2 } });
    await b.manager.listen('/memory/b');
    // A decides about duplicates, and each of these knows of one connection only.
    const clones = Array.from({ length: 4 }, () => world.peer(A));
    for (const clone of clones) await settled(world, clone.manager.connect('/memory/b'));
    expect(b.manager.connections().length).toBe(2);
    expect(clones.map(({ manager }) => manager.connections().length)).toEqual([1, 1, 0, 0]);
  });
});

describe('bans', () => {
  it('drop the connections of a peer, refuse its dials and ours, and end by themselves', async () => {
    const world = createWorld();
    const { a, b } = await connected(world);
    a.manager.ban(B, world.clock.now() + 60_000);
    await world.settle();
    expect(a.manager.connections()).toEqual([]);
    expect(await settled(world, a.manager.connect(B))).toMatchObject({ reason: { code: 'BANNED' } });
    await settled(world, b.manager.connect(A), 100);
    expect([a.manager.connections(), b.manager.connections()]).toEqual([[], []]);
    await world.clock.advance(61_000);
    expect(await settled(world, a.manager.connect(B))).toMatchObject({ status: 'fulfilled' });
  });

  it('hold for networks of both families and refuse nonsense', async () => {
    const world = createWorld();
    const a = world.peer(A);
    for (const target of ['192.0.2.0/25', '2001:db8::/33', '198.51.100.7']) a.manager.ban(target);
    const isBanned = (address: string): boolean => a.manager.bans.isAddressBanned(address);
    expect(
      ['/ip4/192.0.2.127/tcp/1', '/ip6/2001:db8:7fff::1/tcp/1', '/ip4/198.51.100.7/udp/1'].map(isBanned),
    ).toEqual([true, true, true]);
    expect(['/ip4/192.0.2.128/tcp/1', '/ip6/2001:db8:8000::1/tcp/1', '/memory/x'].map(isBanned)).toEqual([
      false,
      false,
      false,
    ]);
    for (const target of ['', '1.2.3.4/33', '1.2.3.4/', '1.2.3.4/8/24', 'example.org', '::1/129'])
      expect(() => a.manager.ban(target)).toThrow(TypeError);
    a.manager.unban('192.0.2.0/25');
    expect(isBanned('/ip4/192.0.2.1/tcp/1')).toBe(false);
  });
});

describe('closing', () => {
  it('says goodbye to everybody, is idempotent, and leaves no timer', async () => {
    const world = createWorld();
    const { a, b } = await connected(world);
    const closing = Promise.all([a.manager.close(), a.manager.close(), a.manager[Symbol.asyncDispose]()]);
    expect((await settled(world, closing)).status).toBe('fulfilled');
    expect(b.manager.connections()).toEqual([]);
    expect(b.events.at(-1)).toEqual({ type: 'peer-disconnected', peer: A, error: undefined });
    expect(await settled(world, a.manager.connect(B))).toMatchObject({ reason: { code: 'CLOSED' } });
    expect(await settled(world, a.manager.listen('/memory/x'))).toMatchObject({ reason: { code: 'CLOSED' } });
    await settled(world, b.manager.close());
    expect(world.clock.pending).toBe(0);
    expect(world.network.listeners.size).toBe(0);
  });

  it('drops who does not let go when the signal says so', async () => {
    const world = createWorld();
    const { a, b } = await connected(world);
    await b.manager.connections()[0]!.openStream('/test/1');
    const controller = new AbortController();
    const closing = b.manager.close({ signal: controller.signal });
    await world.clock.advance(20_000);
    expect(b.manager.connections().length).toBe(1);
    controller.abort(new Error('now'));
    expect((await settled(world, closing)).status).toBe('fulfilled');
    expect([a.manager.connections(), b.manager.connections()]).toEqual([[], []]);
  });
});

function createHangingTransport(): { transport: Transport; dials: number; aborted: number } {
  const counts = { dials: 0, aborted: 0 };
  const transport: Transport = {
    name: 'memory',
    canDial: () => true,
    canListen: () => false,
    dial: (_address, { signal } = {}) => {
      counts.dials++;
      return new Promise((_, reject) => {
        signal?.addEventListener('abort', () => {
          counts.aborted++;
          reject(signal.reason);
        });
      });
    },
    listen: () => Promise.reject(new Error('never')),
  };
  return Object.assign(counts, { transport });
}
