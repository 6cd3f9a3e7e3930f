import { describe, expect, it } from 'vitest';
import { createMemoryPair } from '../src/memory.ts';
import { OWN_SHARE } from '../src/messages/memory-budget.ts';
import { serveRequests } from '../src/messages/request-server.ts';
import { createRequester } from '../src/messages/requester.ts';
import { createSharedMemory, type SharedMemory } from '../src/messages/shared-memory.ts';
import { ResetCode } from '../src/mux/frames.ts';
import { HeldBytes } from '../src/mux/held-bytes.ts';
import type { MuxStream } from '../src/mux/mux-stream.ts';
import type { Stream } from '../src/mux/stream.ts';
import type { StreamTable } from '../src/mux/stream-table.ts';
import { createFakeClock } from '../src/time/fake-clock.ts';
import { createTimerWheel } from '../src/time/timer-wheel.ts';
import { type Collected, type Connected, collect, connectPeers, echo } from './connected.ts';
import { createMuxPair } from './mux-pair.ts';
import { until } from './secure-peer.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
/** What a connection's streams hold before anything counts. */
const FREE = 128 * KiB;

interface JoinedOptions {
  readonly shared: SharedMemory;
  /** Where the near side seems to be. */
  readonly host?: string;
  readonly serve?: (stream: Stream) => void;
  readonly timers?: ReturnType<typeof createTimerWheel>;
}

/** A connection whose far side shares memory with others, and what the far side was asked for. */
async function join(options: JoinedOptions): Promise<Connected & { readonly accepted: MuxStream[] }> {
  const { shared, host = '127.0.0.1', serve, timers } = options;
  const accepted: MuxStream[] = [];
  const onStream = (stream: Stream): void => {
    accepted.push(stream as MuxStream);
    serve?.(stream);
  };
  const bytes = createMemoryPair();
  Object.defineProperty(bytes[1], 'remoteAddress', { value: `/ip4/${host}/tcp/4000` });
  const far = { sharedMemory: shared, onStream, ...(timers === undefined ? {} : { timers }) };
  return Object.assign(await connectPeers({ bytes, far }), { accepted });
}

/** Opens a stream that is never read on the other side, and writes to it as much as its window takes. */
async function fill({ near }: Connected, size = MiB): Promise<Collected> {
  const stream = await near.openStream('/test/1');
  const ended = collect(stream);
  stream.write(new Uint8Array(size));
  for (let quiet = 0, queued = -1; quiet < 3; quiet++) {
    if (stream.queuedBytes !== queued) quiet = 0;
    queued = stream.queuedBytes;
    await near.ping();
  }
  return ended;
}

const heldBy = ({ accepted }: { readonly accepted: readonly MuxStream[] }): number =>
  accepted.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
const wasEnded = ({ error }: Collected): boolean => error !== undefined;

describe('what streams hold of many connections', () => {
  it('is bounded by one number, beside a share of each, whatever their windows would allow; the streams end with code 7', async () => {
    const shared = createSharedMemory(4 * MiB);
    const peers = await Promise.all(Array.from({ length: 10 }, () => join({ shared })));
    const streams: Collected[] = [];
    let most = 0;
    for (let round = 0; round < 4; round++) {
      for (const one of peers) {
        streams.push(await fill(one));
        most = Math.max(
          most,
          peers.reduce((sum, peer) => sum + heldBy(peer), 0),
        );
      }
    }
    // Unbounded it would be 40 MiB.
    expect(most).toBeGreaterThan(4 * MiB);
    expect(most).toBeLessThanOrEqual(4 * MiB + peers.length * (FREE + OWN_SHARE));
    expect(shared.used).toBeLessThanOrEqual(4 * MiB);
    expect(streams.filter(wasEnded).length).toBeGreaterThan(20);
    for (const { error } of streams.filter(wasEnded)) {
      expect(error).toMatchObject({ code: 'STREAM_RESET', resetCode: ResetCode.memory });
    }
    expect(peers.every(({ near, far }) => near.isOpen && far.isOpen)).toBe(true);
    // Whoever takes part in the budget gives all of it back, also what had arrived whole on a connection that is gone.
    const [first] = peers;
    const whole = await first!.near.openStream('/test/1', { data: new Uint8Array(MiB) });
    void whole.closeWrite();
    await first!.near.ping();
    for (const one of peers) await one[Symbol.asyncDispose]();
    expect(shared.used).toBe(0);
  });

  it('counts answers that are not read: an echo whose asker stops reading', async () => {
    const shared = createSharedMemory(4 * MiB);
    await using peers = await join({ shared, serve: echo });
    const streams: Stream[] = [];
    for (let i = 0; i < 64; i++) {
      const stream = await peers.near.openStream('/test/1');
      streams.push(stream);
      // The near side's windows take the first MiB of the answers; what is more waits on the far side.
      for (let sent = 0; sent < 3; sent++) stream.write(new Uint8Array(512 * KiB));
    }
    let most = 0;
    for (let i = 0; i < 300; i++) {
      await peers.near.ping();
      most = Math.max(most, heldBy(peers));
      expect(shared.used).toBeLessThanOrEqual(4 * MiB);
    }
    expect(most).toBeGreaterThan(3 * MiB);
    expect(most).toBeLessThanOrEqual(4 * MiB + FREE + OWN_SHARE);
    for (const stream of streams) stream.reset();
    await until(() => heldBy(peers) === 0);
    await until(() => shared.used === 0);
  });

  it('does not count what this side sends on streams of its own: that is its own choice', async () => {
    const shared = createSharedMemory(MiB);
    await using peers = await join({ shared });
    const stream = await peers.far.openStream('/test/1');
    stream.write(new Uint8Array(8 * MiB));
    expect(stream.queuedBytes).toBeGreaterThan(4 * MiB);
    expect(shared.used).toBe(0);
  });

  it('does not count the answers of requests twice', async () => {
    const shared = createSharedMemory(8 * MiB);
    const serve = (stream: Stream): void => serveRequests(stream, () => new Uint8Array(3 * MiB));
    await using peers = await join({ shared, serve });
    const stream = await peers.near.openStream('/test/1');
    const requester = createRequester(stream, { maxBodyLength: 4 * MiB });
    let most = 0;
    const answer = requester.request(new Uint8Array(1));
    const watch = setInterval(() => {
      most = Math.max(most, shared.used);
    });
    expect(await answer).toHaveLength(3 * MiB);
    clearInterval(watch);
    expect(most).toBeLessThanOrEqual(3 * MiB);
    await until(() => shared.used === 0);
  });
});

describe('what has arrived whole on a stream that is over', () => {
  it.each(['reset', 'ended'])('can be given up until it is read: %s', async (how) => {
    const shared = createSharedMemory(4 * MiB);
    await using hog = await join({ shared, host: '192.0.2.1' });
    for (let i = 0; i < 4; i++) {
      const stream = await hog.near.openStream('/test/1');
      stream.write(new Uint8Array(MiB - 100));
      void stream.closeWrite().catch(() => undefined);
      await until(() => stream.queuedBytes === 0);
      await hog.near.ping();
      if (how === 'reset') stream.reset();
      else void hog.accepted[i]!.closeWrite();
      await hog.near.ping();
    }
    await until(() => hog.far.stats.streams === 0);
    expect(heldBy(hog)).toBeGreaterThan(3 * MiB);
    await using honest = await join({ shared, host: '198.51.100.1' });
    const ended = await fill(honest);
    expect([ended.error, heldBy(honest)]).toEqual([undefined, MiB]);
    expect(shared.used).toBeLessThanOrEqual(4 * MiB);
    const reads = hog.accepted.map((stream) => collect(stream));
    await until(() => reads.every(({ isEnded, error }) => isEnded || error !== undefined));
    // Whole or not at all.
    for (const read of reads) expect(read.isEnded ? read.bytes : 0).toBe(read.isEnded ? MiB - 100 : 0);
    expect(reads.filter(({ error }) => error !== undefined).length).toBeGreaterThan(0);
    expect(reads.filter(({ isEnded }) => isEnded).length).toBeGreaterThan(0);
    await until(() => heldBy(hog) === 0);
    expect(shared.used).toBeLessThanOrEqual(MiB);
  });
});

describe('when the memory is used up', () => {
  it('who holds most gives way: a slow reader of another subnet, and a newcomer of the same, lose nothing', async () => {
    const shared = createSharedMemory(4 * MiB);
    await using hog = await join({ shared, host: '192.0.2.1' });
    const hogs: Collected[] = [];
    for (let i = 0; i < 8; i++) hogs.push(await fill(hog));
    expect(heldBy(hog)).toBeGreaterThan(3 * MiB);
    await using slow = await join({ shared, host: '198.51.100.1' });
    await using neighbour = await join({ shared, host: '192.0.2.2' });
    const honest = [await fill(slow), await fill(neighbour)];
    expect([heldBy(slow), heldBy(neighbour)]).toEqual([MiB, MiB]);
    const lost = hogs.filter(wasEnded).length;
    // The hog goes on trying: it is refused what it has no part in.
    for (let i = 0; i < 8; i++) hogs.push(await fill(hog));
    expect(hogs.filter(wasEnded).length).toBeGreaterThanOrEqual(lost + 8);
    expect(honest.filter(wasEnded)).toEqual([]);
    expect(shared.used).toBeLessThanOrEqual(4 * MiB);
    for (const { accepted } of [slow, neighbour]) {
      const read = collect(accepted[0]!);
      await until(() => read.bytes === MiB);
      expect(read.error).toBeUndefined();
    }
    expect(shared.used).toBeLessThanOrEqual(4 * MiB);
  });

  it('everybody has a share of their own, though nobody gives way', async () => {
    const shared = createSharedMemory(MiB);
    shared.join({ group: 'stubborn', shed: () => false }).take(MiB);
    await using peers = await join({ shared });
    const ended = await fill(peers, FREE + OWN_SHARE);
    expect([ended.error, heldBy(peers)]).toEqual([undefined, FREE + OWN_SHARE]);
    const echoed = collect(await peers.near.openStream('/test/1', { data: new Uint8Array(64) }));
    await peers.near.ping();
    echo(peers.accepted[1]!);
    await until(() => echoed.bytes === 64);
    const more = await fill(peers);
    expect(more.error ?? ended.error).toMatchObject({ resetCode: ResetCode.memory });
    expect(heldBy(peers)).toBeLessThanOrEqual(FREE + OWN_SHARE);
    expect(echoed.error).toBeUndefined();
  });

  it('the stream that makes the least progress ends first, though another is larger', async () => {
    const clock = createFakeClock();
    const shared = createSharedMemory(1.25 * MiB);
    await using peers = await join({ shared, timers: createTimerWheel({ clock }) });
    const [moving, still] = [await fill(peers), await fill(peers, 600 * KiB)];
    const [reader] = peers.accepted;
    reader!.pause();
    const slowly = collect(reader!);
    for (let look = 0; look < 4; look++) {
      await clock.advance(10_000);
      await peers.near.ping();
      // A chunk at a time.
      const before = slowly.bytes;
      const stop = slowly.onData.bind(slowly);
      slowly.onData = (chunk) => {
        stop(chunk);
        reader!.pause();
      };
      reader!.resume();
      expect(slowly.bytes).toBeGreaterThan(before);
    }
    expect([wasEnded(moving), wasEnded(still)]).toEqual([false, false]);
    expect(reader!.heldBytes).toBeGreaterThan(600 * KiB);
    await using other = await join({ shared });
    expect((await fill(other)).error).toBeUndefined();
    expect([wasEnded(moving), wasEnded(still)]).toEqual([false, true]);
  });

  it('a slow reader is left alone while there is room, however long it takes', async () => {
    const clock = createFakeClock();
    await using peers = await join({
      shared: createSharedMemory(8 * MiB),
      timers: createTimerWheel({ clock }),
    });
    const ended = await fill(peers);
    for (let minute = 0; minute < 20; minute++) {
      await clock.advance(60_000);
      await peers.near.ping();
    }
    expect([ended.error, heldBy(peers)]).toEqual([undefined, MiB]);
  });

  it('many small streams end in one look at all of them: giving way costs less than what is given back', () => {
    let looks = 0;
    const streams = new Set<{ heldBytes: number; moved: number; reset(code: number): void }>();
    const table = {
      all: () => {
        looks++;
        return [...streams];
      },
    } as unknown as StreamTable;
    const covered: number[] = [];
    const held: HeldBytes = new HeldBytes(table, {
      take: () => true,
      give: () => undefined,
      isScarce: false,
      cover: (bytes) => {
        covered.push(bytes);
        return true;
      },
    });
    for (let i = 0; i < 4000; i++) {
      const stream = {
        heldBytes: 2048,
        moved: 0,
        reset: (code: number) => {
          expect(code).toBe(ResetCode.memory);
          stream.heldBytes = 0;
          streams.delete(stream);
          held.add(-2048);
        },
      };
      streams.add(stream);
      held.add(2048);
    }
    expect(looks).toBe(0);
    const before = covered.at(-1)!;
    held.evict();
    expect([looks, streams.size]).toEqual([1, 3500]);
    expect(covered.at(-1)).toBeLessThanOrEqual(before - 500 * 2048 + 64 * KiB);
    // All of it, and nothing is left that could be asked for.
    for (let i = 0; i < 60; i++) held.evict();
    expect([streams.size, covered.at(-1), held.unfinished]).toEqual([0, 0, 0]);
  });
});

describe('while memory is scarce', () => {
  it.each([
    [false, 16],
    [true, 1],
  ])('no window is enlarged: scarce %s, %d MiB', async (isScarce, expected) => {
    const pair = createMuxPair({
      budget: { take: () => true, give: () => undefined, cover: () => true, isScarce },
    });
    const stream = pair.a.mux.openStream('/bulk/1');
    await pair.settle();
    const reader = pair.b.accepted[0] as MuxStream;
    reader.receive({ isBorrowing: true, onData: () => {}, onEnd: () => {}, onReset: () => {} });
    for (let step = 0; step < 60; step++) {
      for (let i = 0; i < 64 && stream.queuedBytes === 0; i++) stream.write(new Uint8Array(256 * KiB));
      const pinged = pair.b.mux.ping();
      pair.time += 100;
      await pair.settle();
      await pinged;
    }
    expect(reader.receiveWindow).toBe(expected * MiB);
  });

  it('the window of a connection is not either: unread streams stop there, and nobody is cut off', async () => {
    const shared = createSharedMemory(8 * MiB);
    const neighbours = { group: '192.0.2.0/24', shed: () => false };
    expect(shared.join(neighbours).take(4 * MiB + 1)).toBe(true);
    await using peers = await join({ shared, host: '192.0.2.1' });
    const streams: Collected[] = [];
    for (let i = 0; i < 8; i++) streams.push(await fill(peers));
    expect(heldBy(peers)).toBeLessThanOrEqual(4 * MiB);
    // Those of another subnet have their part, and windows for it, whatever these hold.
    await using others = await join({ shared, host: '198.51.100.1' });
    expect(others.far.messageMemory.isScarce).toBe(false);
    expect(peers.far.messageMemory.isScarce).toBe(true);
    expect(streams.filter(wasEnded)).toEqual([]);
    // Unread streams have all of the credit: what is read lets the others go on.
    for (const stream of peers.accepted) collect(stream);
    await until(() => peers.accepted.length === 8 && streams.every(({ error }) => error === undefined));
    await until(() => heldBy(peers) === 0);
  });
});
