import { describe, expect, it } from 'vitest';
import { createMessageMemory, OWN_SHARE } from '../src/messages/memory-budget.ts';
import { encodeMessageHeader, MessageKind } from '../src/messages/message-frames.ts';
import { receiveMessages } from '../src/messages/messages.ts';
import { serveRequests } from '../src/messages/request-server.ts';
import { createRequester } from '../src/messages/requester.ts';
import { createSharedMemory } from '../src/messages/shared-memory.ts';
import { ResetCode } from '../src/mux/frames.ts';
import type { Stream } from '../src/mux/stream.ts';
import { type Connected, collect, connectPeers } from './connected.ts';
import { createSecurePeer, until } from './secure-peer.ts';

const KiB = 1024;
const header = (kind: number, length: number, hasMore: boolean, id = 1): Uint8Array => {
  const bytes = new Uint8Array(8);
  encodeMessageHeader(bytes, { kind, id, length, hasMore, isCompressed: false });
  return bytes;
};
const turns = async (): Promise<void> => {
  for (let i = 0; i < 50; i++) await new Promise(setImmediate);
};

/** Sends pieces of a request without its end. */
async function sendPartOf(stream: Stream, pieces: number): Promise<void> {
  for (let i = 0; i < pieces; i++) {
    stream.write(header(MessageKind.request, 64 * KiB, true));
    stream.write(new Uint8Array(64 * KiB));
    await stream.drained().catch(() => undefined);
  }
}

async function serving(
  limits: { maxMessageBytes?: number; maxMessageStreams?: number },
  handle: (stream: Stream) => void = (stream) => serveRequests(stream, (body) => body),
): Promise<Connected> {
  return connectPeers({ far: { onStream: handle, limits } });
}

describe('what the message layer holds for a peer', () => {
  it('is bounded for a connection, however many streams send bodies that do not end; small requests go on after them', async () => {
    await using peers = await serving({ maxMessageBytes: 1024 * KiB });
    const { near, far } = peers;
    let most = 0;
    const streams = await Promise.all(Array.from({ length: 12 }, () => near.openStream('/test/1')));
    for (let piece = 0; piece < 8; piece++) {
      for (const stream of streams) await sendPartOf(stream, 1);
      await turns();
      most = Math.max(most, far.messageMemory.used);
    }
    expect(most).toBeGreaterThan(512 * KiB);
    expect(most).toBeLessThanOrEqual(1024 * KiB);
    for (const stream of streams) stream.reset();
    await until(() => far.messageMemory.used === 0);
    const requester = createRequester(await near.openStream('/test/1'));
    expect(await requester.request(new Uint8Array(500 * KiB))).toHaveLength(500 * KiB);
    await until(() => far.messageMemory.used === 0);
  });

  it('fails the request that is too much with its own code, and no other on the stream', async () => {
    await using peers = await serving({ maxMessageBytes: 256 * KiB });
    const requester = createRequester(await peers.near.openStream('/test/1'));
    const large = requester.request(new Uint8Array(600 * KiB));
    const small = requester.request(new Uint8Array(20));
    await expect(large).rejects.toMatchObject({ code: 'REQUEST_FAILED', resetCode: ResetCode.overBudget });
    expect(await small).toHaveLength(20);
    expect(await requester.request(new Uint8Array(100 * KiB))).toHaveLength(100 * KiB);
    await until(() => peers.far.messageMemory.used === 0);
  });

  it('counts requests that wait for their handler, and answers that are not read', async () => {
    const release: (() => void)[] = [];
    await using peers = await serving({ maxMessageBytes: 300 * KiB }, (stream) =>
      serveRequests(stream, async (body) => {
        await new Promise<void>((resolve) => release.push(resolve));
        return body;
      }),
    );
    const requester = createRequester(await peers.near.openStream('/test/1'));
    const asked = [1, 2].map(() => requester.request(new Uint8Array(100 * KiB)));
    await until(() => release.length === 2);
    expect(peers.far.messageMemory.used).toBeGreaterThanOrEqual(200 * KiB);
    await expect(requester.request(new Uint8Array(200 * KiB))).rejects.toMatchObject({ resetCode: 9 });
    for (const go of release) go();
    await Promise.all(asked);
    await until(() => peers.far.messageMemory.used === 0);
  });

  it('gives an answer up that it may not hold, and a stream whose failures are not read', async () => {
    await using peers = await serving({ maxMessageBytes: 64 * KiB }, (stream) =>
      serveRequests(stream, () => new Uint8Array(200 * KiB)),
    );
    const requester = createRequester(await peers.near.openStream('/test/1'));
    await expect(requester.request(new Uint8Array(1))).rejects.toMatchObject({
      resetCode: ResetCode.overBudget,
    });
    await until(() => peers.far.messageMemory.used === 0);
  });

  it('refuses streams above their number, and takes new ones when others are over', async () => {
    await using peers = await serving({ maxMessageStreams: 3 });
    const open = async () => createRequester(await peers.near.openStream('/test/1'));
    const requesters = [await open(), await open(), await open()];
    for (const one of requesters) expect(await one.request(new Uint8Array(3))).toHaveLength(3);
    await expect((await open()).request(new Uint8Array(3))).rejects.toMatchObject({ code: 'STREAM_REFUSED' });
    requesters[0]!.close();
    await turns();
    expect(await (await open()).request(new Uint8Array(3))).toHaveLength(3);
  });

  it('counts open streams: those of all connections together are bounded, and the first of each cost nothing', async () => {
    // As many bytes as two hundred streams cost, beside the share of each connection.
    await using b = createSecurePeer(2, { limits: { maxHeldBytes: 200 * 2048 } });
    b.manager.handle('/test/1', (stream) =>
      stream.receive({ onData: () => {}, onEnd: () => {}, onReset: () => {} }),
    );
    const [bound] = await b.manager.listen('/ip4/127.0.0.1/tcp/0');
    const target = `${bound}/p2p/${b.identity.peerId}`;
    const hogs = [11, 12, 13].map((seed) => createSecurePeer(seed));
    for (const hog of hogs) {
      const connection = await hog.manager.connect(target);
      for (let i = 0; i < 500; i++) await connection.openStream('/test/1');
      await connection.ping();
    }
    const open = (): number => b.manager.connections().reduce((sum, { stats }) => sum + stats.streams, 0);
    expect(open()).toBe(3 * (64 + OWN_SHARE / 2048) + 200);
    await using honest = createSecurePeer(1);
    const connection = await honest.manager.connect(target);
    for (let i = 0; i < 64; i++) await connection.openStream('/test/1');
    await connection.ping();
    expect(connection.stats.streams).toBe(64);
    for (const hog of hogs) await hog[Symbol.asyncDispose]();
    await until(() => open() === 64);
    // The streams of a connection that is gone end in turns.
    await turns();
    for (let i = 0; i < 300; i++) await connection.openStream('/test/1');
    await connection.ping();
    expect(connection.stats.streams).toBe(364);
  });

  it('bounds messages that are put together, and the parts of frames', async () => {
    const errors: unknown[] = [];
    await using peers = await serving({ maxMessageBytes: 200 * KiB }, (stream) => {
      void (async () => {
        for await (const message of receiveMessages(stream)) await message.bytes({ maxLength: 2 ** 30 });
      })().catch((error: unknown) => errors.push(error));
    });
    const stream = await peers.near.openStream('/test/1');
    const ended = collect(stream);
    for (let i = 0; i < 10; i++) {
      stream.write(header(MessageKind.message, 64 * KiB, true, 0));
      stream.write(new Uint8Array(64 * KiB));
    }
    await ended.done.catch(() => undefined);
    expect(ended.error).toMatchObject({ code: 'STREAM_RESET', resetCode: ResetCode.overBudget });
    expect(errors).toMatchObject([{ code: 'LIMIT_EXCEEDED' }]);
    await until(() => peers.far.messageMemory.used === 0);
    const partial = await Promise.all(Array.from({ length: 8 }, () => peers.near.openStream('/test/1')));
    const reset = Promise.race(partial.map((one) => collect(one).done.catch((error: unknown) => error)));
    for (const one of partial) {
      one.write(header(MessageKind.message, 64 * KiB, false, 0));
      one.write(new Uint8Array(40 * KiB));
      await one.drained().catch(() => undefined);
    }
    expect(await reset).toMatchObject({ resetCode: ResetCode.overBudget });
    expect(peers.far.messageMemory.used).toBeLessThanOrEqual(200 * KiB);
  });

  it('bounds the answers that this side asked for', async () => {
    await using peers = await connectPeers({
      near: { limits: { maxMessageBytes: 64 * KiB } },
      far: {
        onStream: (stream) => serveRequests(stream, ([kind]) => new Uint8Array(kind === 1 ? 200 * KiB : 10)),
      },
    });
    const requester = createRequester(await peers.near.openStream('/test/1'));
    await expect(requester.request(Uint8Array.of(1))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(await requester.request(Uint8Array.of(2))).toHaveLength(10);
    requester.close();
    expect(peers.near.messageMemory.used).toBe(0);
  });

  it('is bounded for all connections of a manager together, and each has a share of its own', async () => {
    await using b = createSecurePeer(2, { limits: { maxHeldBytes: 512 * KiB } });
    b.manager.handle('/test/1', (stream) => serveRequests(stream, (body) => body));
    const [bound] = await b.manager.listen('/ip4/127.0.0.1/tcp/0');
    const target = `${bound}/p2p/${b.identity.peerId}`;
    const hogs = [11, 12, 13].map((seed) => createSecurePeer(seed));
    for (const hog of hogs) {
      const connection = await hog.manager.connect(target);
      await sendPartOf(await connection.openStream('/test/1'), 8);
    }
    const used = (): number =>
      b.manager.connections().reduce((sum, { messageMemory }) => sum + messageMemory.used, 0);
    await turns();
    expect(used()).toBeLessThanOrEqual(512 * KiB + 3 * OWN_SHARE);
    expect(used()).toBeGreaterThan(512 * KiB);
    await using honest = createSecurePeer(1);
    const requester = createRequester(await (await honest.manager.connect(target)).openStream('/test/1'));
    expect(await requester.request(new Uint8Array(100 * KiB))).toHaveLength(100 * KiB);
    for (const hog of hogs) await hog[Symbol.asyncDispose]();
    await until(() => used() === 0);
  });
});

describe('a budget', () => {
  it('takes all or nothing, and gives back exactly what was taken', () => {
    const shared = createSharedMemory(1000);
    const bounds = { maxMessageBytes: OWN_SHARE + 2000, maxMessageStreams: 1, shared };
    const [a, b] = [createMessageMemory(bounds), createMessageMemory(bounds)];
    expect(a.take(OWN_SHARE + 900)).toBe(true);
    expect([a.take(101), a.take(100), a.take(1)]).toEqual([false, true, false]);
    expect([b.take(OWN_SHARE), b.take(1)]).toEqual([true, false]);
    expect([shared.used, a.used, b.used]).toEqual([1000, OWN_SHARE + 1000, OWN_SHARE]);
    a.give(500);
    expect([b.take(500), b.take(1), shared.used]).toEqual([true, false, 1000]);
    a.give(a.used);
    b.give(b.used);
    expect([a.used, b.used, shared.used]).toEqual([0, 0, 0]);
    expect([a.openStream(), a.openStream()]).toEqual([true, false]);
  });

  it('of others does not end the connection of a peer that opens as many streams as it may, only what is beyond that', async () => {
    // Others hold all that is shared.
    await using peers = await connectPeers({
      far: { sharedMemory: createSharedMemory(0), onStream: () => undefined },
    });
    const open = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n += 1) {
        const stream = await peers.near.openStream('/test/1');
        stream.receive({ onData: () => undefined, onEnd: () => undefined, onReset: () => undefined });
      }
    };
    await open(4_096);
    await peers.near.ping();
    expect([peers.near.isOpen, peers.far.stats.streams]).toEqual([true, 64 + 128]);
    await open(3_904);
    expect(await peers.near.closed).toMatchObject({ code: 'FLOOD' });
  });
});
