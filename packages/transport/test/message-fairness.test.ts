import { describe, expect, it } from 'vitest';
import { createMemoryPair } from '../src/memory.ts';
import { encodeMessageHeader, MessageKind } from '../src/messages/message-frames.ts';
import { receiveMessages } from '../src/messages/messages.ts';
import { serveRequests } from '../src/messages/request-server.ts';
import { createRequester } from '../src/messages/requester.ts';
import { createSharedMemory, type SharedMemory } from '../src/messages/shared-memory.ts';
import { ResetCode } from '../src/mux/frames.ts';
import type { Stream } from '../src/mux/stream.ts';
import { createFakeClock } from '../src/time/fake-clock.ts';
import { createTimerWheel } from '../src/time/timer-wheel.ts';
import { type Collected, type Connected, collect, connectPeers } from './connected.ts';
import { createSecurePeer, until } from './secure-peer.ts';

const KiB = 1024;
const header = (kind: (typeof MessageKind)[keyof typeof MessageKind], length: number): Uint8Array => {
  const bytes = new Uint8Array(8);
  encodeMessageHeader(bytes, { kind, id: kind === 1 ? 0 : 1, length, hasMore: true, isCompressed: false });
  return bytes;
};

/** Sends pieces of a request or message without its end. */
async function sendPart(stream: Stream, pieces: number, kind: 1 | 2 = 2): Promise<void> {
  for (let i = 0; i < pieces; i++) {
    stream.write(header(kind, 64 * KiB));
    stream.write(new Uint8Array(64 * KiB));
    await stream.drained().catch(() => undefined);
  }
}

/** A peer that serves requests or reads messages, with a clock that stands still. */
async function serving(
  serve: (stream: Stream) => void,
): Promise<Connected & { pass(ms: number): Promise<void> }> {
  const clock = createFakeClock();
  const wheel = createTimerWheel({ clock });
  const peers = await connectPeers({ far: { onStream: serve, timers: wheel } });
  return {
    near: peers.near,
    far: peers.far,
    pass: (ms) => clock.advance(ms),
    [Symbol.asyncDispose]: () => peers[Symbol.asyncDispose](),
  };
}

const arrive = (peers: Connected, bytes: number): Promise<void> =>
  until(() => peers.far.messageMemory.used >= bytes);

describe('a message that does not end', () => {
  const wasLate = async (ended: Collected): Promise<void> => {
    await until(() => ended.error !== undefined);
    expect(ended.error).toMatchObject({ code: 'STREAM_RESET', resetCode: ResetCode.timeout });
  };

  it('is given up when nothing more comes for 30 s, and nothing else is (NZ-WIRE-01 §10)', async () => {
    await using peers = await serving((stream) => serveRequests(stream, (body) => body));
    const stalled = await peers.near.openStream('/test/1');
    const ended = collect(stalled);
    await sendPart(stalled, 3);
    await arrive(peers, 192 * KiB);
    const requester = createRequester(await peers.near.openStream('/test/1'));
    await peers.pass(25_000);
    expect(ended.error).toBeUndefined();
    await peers.pass(16_000);
    await wasLate(ended);
    expect(await requester.request(new Uint8Array(3))).toHaveLength(3);
    await until(() => peers.far.messageMemory.used === 0);
  });

  it('is given up when it trickles, and goes on at a pace that a bad line has', async () => {
    await using peers = await serving((stream) => serveRequests(stream, (body) => body));
    const [trickle, slow] = [await peers.near.openStream('/test/1'), await peers.near.openStream('/test/1')];
    const [tricklesEnd, slowsEnd] = [collect(trickle), collect(slow)];
    for (const stream of [trickle, slow]) await sendPart(stream, 2);
    for (const stream of [trickle, slow]) stream.write(header(2, 64 * KiB));
    await arrive(peers, 256 * KiB);
    // The one that trickles has its turns: it ends when the line has carried enough for one of each.
    for (let second = 0; second < 120; second += 10) {
      trickle.write(new Uint8Array(10));
      slow.write(new Uint8Array(4.5 * KiB));
      await peers.near.ping();
      await peers.pass(10_000);
    }
    await wasLate(tricklesEnd);
    expect(slowsEnd.error).toBeUndefined();
  });

  it('goes on at 400 bytes a second, however they are spread', async () => {
    await using peers = await serving((stream) => serveRequests(stream, (body) => body));
    const slow = await peers.near.openStream('/test/1');
    const end = collect(slow);
    await sendPart(slow, 2);
    slow.write(header(2, 64 * KiB));
    await arrive(peers, 128 * KiB);
    for (let second = 0; second < 120; second += 10) {
      slow.write(new Uint8Array(3 * KiB));
      await peers.near.ping();
      await peers.pass(10_000);
    }
    expect(end.error).toBeUndefined();
  });

  it('has time until its turn on a slow line that many share', async () => {
    await using peers = await serving((stream) => serveRequests(stream, (body) => body));
    const streams: Stream[] = [];
    for (let i = 0; i < 8; i++) streams.push(await peers.near.openStream('/test/1'));
    const ends = streams.map(collect);
    for (const stream of streams) {
      await sendPart(stream, 2);
      stream.write(header(2, 64 * KiB));
    }
    await arrive(peers, 8 * 128 * KiB);
    // Some 2 KB/s, in turns of 16 KiB (NZ-WIRE-01 §5.9).
    for (let turn = 0; turn < 20; turn++) {
      streams[turn % 8]!.write(new Uint8Array(16 * KiB));
      await peers.near.ping();
      await peers.pass(8_000);
    }
    expect(ends.map(({ error }) => error)).toEqual(ends.map(() => undefined));
    await peers.pass(45_000);
    for (const end of ends) await wasLate(end);
  });

  it('is given up as well where messages are read, but not while the application does something else', async () => {
    let release = (): void => {};
    await using peers = await serving((stream) => {
      void (async () => {
        for await (const message of receiveMessages(stream)) {
          if (stream.protocol === '/test/busy') await new Promise<void>((resolve) => (release = resolve));
          await message.bytes({ maxLength: 2 ** 30 });
        }
      })().catch(() => undefined);
    });
    const [idle, busy] = [await peers.near.openStream('/test/1'), await peers.near.openStream('/test/busy')];
    const [idlesEnd, busysEnd] = [collect(idle), collect(busy)];
    for (const stream of [idle, busy]) {
      await sendPart(stream, 3, 1);
      stream.write(header(1, 64 * KiB));
      stream.write(new Uint8Array(40 * KiB));
    }
    // The last whole frame waits to be asked for.
    await arrive(peers, (128 + 40) * KiB);
    await peers.pass(45_000);
    await wasLate(idlesEnd);
    expect(busysEnd.error).toBeUndefined();
    release();
  });

  const request = (id: number): Uint8Array => {
    const bytes = new Uint8Array(8);
    encodeMessageHeader(bytes, {
      kind: MessageKind.request,
      id,
      length: 0,
      hasMore: false,
      isCompressed: false,
    });
    return bytes;
  };

  it('of answers: who does not take them loses the stream after five minutes', async () => {
    await using peers = await serving((stream) => serveRequests(stream, () => new Uint8Array(3000 * KiB)));
    const stream = await peers.near.openStream('/test/1');
    stream.write(request(1));
    await arrive(peers, 3000 * KiB);
    await peers.pass(290_000);
    expect(peers.far.messageMemory.used).toBe(3000 * KiB);
    await peers.pass(30_000);
    expect(peers.far.messageMemory.used).toBe(0);
    await wasLate(collect(stream));
  });

  it('waits for an answer that is taken slowly, and is not held against who takes it', async () => {
    await using peers = await serving((stream) => serveRequests(stream, () => new Uint8Array(3000 * KiB)));
    const stream = await peers.near.openStream('/test/1');
    stream.write(request(1));
    // The beginning of a second one: nobody reads the rest of it before the answer to the first is taken.
    stream.write(header(2, 64 * KiB));
    stream.write(new Uint8Array(40 * KiB));
    await arrive(peers, 3064 * KiB);
    let [taken, wanted] = [0, 0];
    const error = await new Promise<Error | undefined>((resolve) => {
      stream.receive({
        onData: (chunk) => {
          taken += chunk.length;
          if (taken >= wanted) stream.pause();
        },
        onEnd: () => resolve(undefined),
        onReset: resolve,
      });
      void (async () => {
        for (; wanted < 2400 * KiB; wanted += 600 * KiB) {
          await peers.pass(260_000);
          stream.resume();
          await until(() => taken >= wanted);
          await peers.near.ping();
        }
        resolve(undefined);
      })();
    });
    expect(error).toBeUndefined();
    expect(taken).toBeGreaterThan(1800 * KiB);
  });

  it('leaves no timer when nothing is held', async () => {
    const clock = createFakeClock();
    await using wheel = Object.assign(createTimerWheel({ clock }), { [Symbol.asyncDispose]: async () => {} });
    await using peers = await connectPeers({
      far: { onStream: (stream) => serveRequests(stream, (body) => body), timers: wheel },
    });
    const before = wheel.size;
    const stream = await peers.near.openStream('/test/1');
    await sendPart(stream, 2);
    await arrive(peers, 128 * KiB);
    expect(wheel.size).toBe(before + 1);
    stream.reset();
    await until(() => peers.far.messageMemory.used === 0);
    expect(wheel.size).toBe(before);
  });
});

describe('a connection', () => {
  it('shares as one with its subnet, and for itself on loopback', async () => {
    const groups: (string | undefined)[] = [];
    const shared = createSharedMemory(1000);
    const sharedMemory: SharedMemory = {
      used: 0,
      join: (one) => {
        groups.push(one.group);
        return shared.join(one);
      },
    };
    for (const host of ['192.0.2.1', '192.0.2.77', '198.51.100.1', '127.0.0.1']) {
      const [nearBytes, farBytes] = createMemoryPair();
      Object.defineProperty(farBytes, 'remoteAddress', { value: `/ip4/${host}/tcp/4000` });
      await using peers = await connectPeers({ bytes: [nearBytes, farBytes], far: { sharedMemory } });
      expect(peers.far.messageMemory.take(1)).toBe(true);
    }
    expect(groups[0]).toBeDefined();
    expect(groups).toEqual([groups[0], groups[0], expect.not.stringContaining(groups[0]!), undefined]);
  });
});

describe('a manager whose message memory is held by a few', () => {
  it('gives others their part: bodies that do not end are given up for those that do', async () => {
    await using b = createSecurePeer(2, { limits: { maxHeldBytes: 2048 * KiB } });
    b.manager.handle('/test/1', (stream) => serveRequests(stream, (body) => body));
    const [bound] = await b.manager.listen('/ip4/127.0.0.1/tcp/0');
    const target = `${bound}/p2p/${b.identity.peerId}`;
    const hogs = [11, 12, 13].map((seed) => createSecurePeer(seed));
    const ends: Collected[] = [];
    for (const hog of hogs) {
      const connection = await hog.manager.connect(target);
      for (let i = 0; i < 4; i++) {
        const stream = await connection.openStream('/test/1');
        ends.push(collect(stream));
        await sendPart(stream, 6);
      }
      await connection.ping();
    }
    await using honest = createSecurePeer(1);
    const requester = createRequester(await (await honest.manager.connect(target)).openStream('/test/1'));
    // As much as a fourth of it, and its own share.
    expect(await requester.request(new Uint8Array(500 * KiB))).toHaveLength(500 * KiB);
    const lost = ends.filter(({ error }) => error !== undefined);
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.length).toBeLessThan(ends.length);
    for (const { error } of lost) expect(error).toMatchObject({ resetCode: ResetCode.overBudget });
    await Promise.all(hogs.map((hog) => hog[Symbol.asyncDispose]()));
  });

  it('ends the newest streams of who has opened very many', async () => {
    // As many bytes as three hundred streams cost, beside the share of each connection.
    await using b = createSecurePeer(2, { limits: { maxHeldBytes: 300 * 2048 } });
    b.manager.handle('/test/1', (stream) => serveRequests(stream, (body) => body));
    b.manager.handle('/test/idle', (stream) =>
      stream.receive({ onData: () => {}, onEnd: () => {}, onReset: () => {} }),
    );
    const [bound] = await b.manager.listen('/ip4/127.0.0.1/tcp/0');
    const target = `${bound}/p2p/${b.identity.peerId}`;
    await using hog = createSecurePeer(11);
    const connection = await hog.manager.connect(target);
    const streams = [];
    for (let i = 0; i < 600; i++) streams.push(await connection.openStream('/test/idle'));
    const ends = streams.map(collect);
    await connection.ping();
    const open = ends.findIndex(({ error }) => error !== undefined);
    await using honest = createSecurePeer(1);
    const requester = createRequester(await (await honest.manager.connect(target)).openStream('/test/1'));
    expect(await requester.request(new Uint8Array(500 * KiB))).toHaveLength(500 * KiB);
    await connection.ping();
    expect(ends.slice(0, 192).every(({ error }) => error === undefined)).toBe(true);
    expect(ends.findIndex(({ error }) => error !== undefined)).toBeLessThan(open);
  });

  it('ends streams that were never used before those that were, though these are newer', async () => {
    await using b = createSecurePeer(2, { limits: { maxHeldBytes: 300 * 2048 } });
    let working = 0;
    b.manager.handle('/test/1', (stream) => serveRequests(stream, (body) => body));
    b.manager.handle('/test/slow', (stream) =>
      serveRequests(stream, () => {
        working++;
        return new Promise(() => undefined);
      }),
    );
    b.manager.handle('/test/idle', (stream) =>
      stream.receive({ onData: () => {}, onEnd: () => {}, onReset: () => {} }),
    );
    const [bound] = await b.manager.listen('/ip4/127.0.0.1/tcp/0');
    const target = `${bound}/p2p/${b.identity.peerId}`;
    await using busy = createSecurePeer(11);
    const connection = await busy.manager.connect(target);
    for (let i = 0; i < 400; i++) await connection.openStream('/test/idle');
    const failed: unknown[] = [];
    for (let i = 0; i < 20; i++) {
      const asking = createRequester(await connection.openStream('/test/slow'));
      asking.request(new Uint8Array(10)).catch((error) => failed.push(error));
    }
    await until(() => working === 20);
    await using honest = createSecurePeer(1);
    const requester = createRequester(await (await honest.manager.connect(target)).openStream('/test/1'));
    expect(await requester.request(new Uint8Array(500 * KiB))).toHaveLength(500 * KiB);
    await connection.ping();
    // Some had to go, and those at work stayed.
    expect(connection.stats.streams).toBeLessThan(420);
    expect(failed).toEqual([]);
  });
});
