import { createStreamChannel, type StreamChannel } from '@nzcore/crypto/channel';
import { createHandshake } from '@nzcore/crypto/handshake';
import { describe, expect, it } from 'vitest';
import type { ByteConnection } from '../src/byte-connection.ts';
import { frameHandshakeMessage } from '../src/connection/handshake-framing.ts';
import { upgradeInbound, upgradeOutbound } from '../src/connection/upgrade.ts';
import { createDeferred } from '../src/deferred.ts';
import { TransportError } from '../src/errors.ts';
import { createMemoryPair } from '../src/memory.ts';
import type { Stream } from '../src/mux/stream.ts';
import { alice, bob, carol, collect, connectPeers, echo, tcpPair, text } from './connected.ts';
import { concat } from './mux-pair.ts';

const carriers: readonly [string, () => Promise<readonly [ByteConnection, ByteConnection]>][] = [
  ['memory', async () => createMemoryPair()],
  ['TCP', tcpPair],
];

for (const [name, pair] of carriers) {
  describe(`connection over ${name}`, () => {
    it('authenticates both sides, opens a stream and echoes', async () => {
      await using peers = await connectPeers({ bytes: await pair(), far: { onStream: echo } });
      expect(peers.near.remotePeer).toBe(bob.peerId);
      expect(peers.far.remotePeer).toBe(alice.peerId);
      expect(peers.near.channelBinding).toEqual(peers.far.channelBinding);
      expect(peers.near.version).toBe(2);
      const stream = await peers.near.openStream('/echo/1', { data: text('hello') });
      const received = collect(stream);
      await stream.closeWrite();
      await received.done;
      expect(concat(received.chunks)).toEqual(text('hello'));
    });

    it('carries 20 MB both ways without mixing them', async () => {
      await using peers = await connectPeers({ bytes: await pair(), far: { onStream: echo } });
      const stream = await peers.near.openStream('/echo/1');
      const received = collect(stream);
      const piece = new Uint8Array(100_000).map((_, i) => (i * 7) & 255);
      for (let i = 0; i < 200; i += 1) {
        if (!stream.write(piece)) await stream.drained();
      }
      await stream.closeWrite();
      await received.done;
      expect(received.bytes).toBe(20_000_000);
      const all = concat(received.chunks);
      for (let i = 0; i < 200; i += 1) {
        expect(Buffer.compare(all.subarray(i * 100_000, (i + 1) * 100_000), piece)).toBe(0);
      }
    });

    it('writes the records of a turn together, and no more than fit one write', async () => {
      const [nearBytes, farBytes] = await pair();
      const sizes: number[] = [];
      const counted = new Proxy(nearBytes, {
        get(target, key) {
          if (key === 'write') {
            return (chunks: readonly Uint8Array[]) => {
              sizes.push(chunks.reduce((sum, { length }) => sum + length, 0));
              return target.write(chunks);
            };
          }
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      const accepted = createDeferred<Stream>();
      await using peers = await connectPeers({
        bytes: [counted, farBytes],
        far: { onStream: accepted.resolve },
      });
      const stream = await peers.near.openStream('/sink/1', { data: text('go') });
      const received = collect(await accepted.promise);
      sizes.length = 0;
      for (let i = 0; i < 6; i += 1) stream.write(new Uint8Array(65_536));
      await stream.closeWrite();
      await received.done;
      expect(received.bytes).toBe(2 + 6 * 65_536);
      expect(sizes.slice(0, 2).map((size) => Math.floor(size / 65_536))).toEqual([4, 2]);
    });

    it('lends chunks to a sink that borrows and takes their memory back, and leaves those of another alone', async () => {
      const piece = new Uint8Array(65_536).map((_, i) => (i * 13) & 255);
      for (const isBorrowing of [true, false]) {
        const lent: Uint8Array[] = [];
        const received = createDeferred<number>();
        let bytes = 0;
        const onStream = (stream: Stream): void =>
          stream.receive({
            isBorrowing,
            onData(chunk) {
              expect(
                Buffer.compare(chunk, piece.subarray(bytes % 65_536, (bytes % 65_536) + chunk.length)),
              ).toBe(0);
              bytes += chunk.length;
              lent.push(chunk);
            },
            onEnd: () => received.resolve(bytes),
            onReset: received.reject,
          });
        await using peers = await connectPeers({ bytes: await pair(), far: { onStream } });
        const stream = await peers.near.openStream('/sink/1');
        for (let i = 0; i < 100; i += 1) if (!stream.write(piece)) await stream.drained();
        await stream.closeWrite();
        expect(await received.promise).toBe(6_553_600);
        const large = lent.filter((chunk) => chunk.buffer.byteLength === 0 || chunk.length >= 16_384);
        expect(large.length).toBeGreaterThan(90);
        expect(large.every((chunk) => chunk.length === 0)).toBe(isBorrowing);
      }
    });

    it('carries on what a borrowing sink writes within onData, though the chunk is detached afterwards', async () => {
      const onStream = (stream: Stream): void =>
        stream.receive({
          isBorrowing: true,
          onData: (chunk) => void stream.write(chunk),
          onEnd: () => void stream.closeWrite().catch(() => undefined),
          onReset: () => undefined,
        });
      await using peers = await connectPeers({ bytes: await pair(), far: { onStream } });
      const stream = await peers.near.openStream('/echo/1');
      const received = collect(stream);
      const piece = new Uint8Array(65_536).map((_, i) => (i * 13) & 255);
      for (let i = 0; i < 20; i += 1) if (!stream.write(piece)) await stream.drained();
      await stream.closeWrite();
      await received.done;
      expect(Buffer.compare(concat(received.chunks), concat(new Array<Uint8Array>(20).fill(piece)))).toBe(0);
    });

    it('closes in an orderly way when the last stream is over', async () => {
      await using peers = await connectPeers({ bytes: await pair(), far: { onStream: echo } });
      const stream = await peers.near.openStream('/echo/1', { data: text('bye') });
      const received = collect(stream);
      const closing = peers.near.close();
      await expect(peers.near.openStream('/echo/1')).rejects.toMatchObject({ code: 'GOING_AWAY' });
      await stream.closeWrite();
      await received.done;
      await closing;
      expect(await peers.near.closed).toBeUndefined();
      expect(await peers.far.closed).toBeUndefined();
      await expect(peers.far.openStream('/x')).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    });

    it('tells streams and owner when the other end is gone without a goodbye', async () => {
      await using peers = await connectPeers({ bytes: await pair(), far: { onStream: echo } });
      const stream = await peers.near.openStream('/echo/1');
      const received = collect(stream);
      peers.far.abort();
      await expect(received.done).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
      expect(await peers.near.closed).toMatchObject({ code: 'CONNECTION_LOST' });
      expect(stream.write(text('late'))).toBe(false);
      await expect(stream.drained()).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    });

    it('measures a round trip', async () => {
      await using peers = await connectPeers({ bytes: await pair() });
      expect(await peers.near.ping()).toBeGreaterThan(0);
      expect(peers.near.stats.roundTrip).toBeGreaterThan(0);
    });
  });
}

describe('upgrade', () => {
  it('refuses another peer than the one that was dialled, with a code of its own', async () => {
    await expect(connectPeers({ near: { expectedPeer: carol.peerId } })).rejects.toMatchObject({
      code: 'PEER_MISMATCH',
    });
  });

  it('saves a round trip with a known static key, and the responder waits for a record', async () => {
    await using first = await connectPeers();
    await using again = await connectPeers({ near: { remoteStaticKey: first.near.remoteStaticKey } });
    expect(again.near.stats).toMatchObject({ recordsSent: 1, streamsOpened: 0 });
    expect(await again.near.ping()).toBeGreaterThan(0);
  });

  it('sends what it has to say as the first record for a known static key, and no ping besides', async () => {
    await using first = await connectPeers();
    const [near, far] = createMemoryPair();
    const accepted = upgradeInbound(far, { identity: bob.handshakeIdentity(Date.now()), onStream: echo });
    const dialled = await upgradeOutbound(near, {
      identity: alice.handshakeIdentity(Date.now()),
      remoteStaticKey: first.near.remoteStaticKey,
    });
    const stream = await dialled.openStream('/echo/1', { data: text('at once') });
    const received = collect(stream);
    await stream.closeWrite();
    await received.done;
    expect(concat(received.chunks)).toEqual(text('at once'));
    expect(dialled.stats.roundTrip).toBeUndefined();
    dialled.abort();
    await (await accepted).closed;
  });

  it('falls back between versions: either side may speak only version 1', async () => {
    await using older = await connectPeers({ far: { versions: { min: 1, max: 1 }, onStream: echo } });
    expect(older.near.version).toBe(1);
    const stream = await older.near.openStream('/echo/1', { data: text('v1') });
    const received = collect(stream);
    await stream.closeWrite();
    await received.done;
    expect(concat(received.chunks)).toEqual(text('v1'));
    await expect(
      connectPeers({ near: { versions: { min: 2, max: 2 } }, far: { versions: { min: 1, max: 1 } } }),
    ).rejects.toMatchObject({ code: 'VERSION_UNSUPPORTED' });
  });

  it('keeps outsiders of a private network out', async () => {
    const networkKey = new Uint8Array(32).fill(9);
    await expect(connectPeers({ far: { networkKey } })).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
    await using peers = await connectPeers({ near: { networkKey }, far: { networkKey } });
    expect(peers.near.isOpen).toBe(true);
  });

  it('ends what a promise of a dial brings when its options cannot be used', async () => {
    const [near, far] = createMemoryPair();
    const closed = createDeferred<void>();
    const nothing = (): void => undefined;
    far.start({ onData: nothing, onDrain: nothing, onEnd: nothing, onClose: () => closed.resolve() });
    const options = { identity: alice.handshakeIdentity(Date.now()), remoteStaticKey: new Uint8Array(3) };
    expect(() => upgradeOutbound(Promise.resolve(near), options)).toThrow(RangeError);
    await closed.promise;
  });

  it('ends the byte stream when no first message can be made', async () => {
    const [near, far] = createMemoryPair();
    const closed = createDeferred<void>();
    const nothing = (): void => undefined;
    far.start({ onData: nothing, onDrain: nothing, onEnd: nothing, onClose: () => closed.resolve() });
    const identity = alice.handshakeIdentity(Date.now());
    const ofSmallOrder = new Uint8Array(32);
    await expect(upgradeOutbound(near, { identity, remoteStaticKey: ofSmallOrder })).rejects.toMatchObject({
      code: 'HANDSHAKE_FAILED',
    });
    await closed.promise;
  });

  it('takes the promise of a dial, and ends with what it rejects with', async () => {
    const identity = alice.handshakeIdentity(Date.now());
    const refused = new TransportError('DIAL_FAILED', 'nobody is there');
    await expect(upgradeOutbound(Promise.reject(refused), { identity })).rejects.toBe(refused);
  });

  it('gives up when the other end says nothing', async () => {
    const [near] = createMemoryPair();
    const identity = alice.handshakeIdentity(Date.now());
    await expect(upgradeOutbound(near, { identity, limits: { handshakeTimeout: 20 } })).rejects.toMatchObject(
      {
        code: 'HANDSHAKE_TIMEOUT',
      },
    );
  });

  it('ends with one that asks for key updates for ever and does not read the answers: FLOOD', async () => {
    const [near, far] = createMemoryPair();
    const accepted = upgradeInbound(far, { identity: bob.handshakeIdentity(Date.now()) });
    const channel = await shakeHands(near);
    near.pause();
    const victim = await accepted;
    let isOver = false;
    void victim.closed.then(() => {
      isOver = true;
    });
    let asked = 0;
    for (; asked < 40_000 && !isOver; asked += 1) {
      near.write(channel.seal([]));
      if (asked % 100 === 0) await new Promise(setImmediate);
    }
    expect(await Promise.race([victim.closed, undefined])).toMatchObject({ code: 'FLOOD' });
  });
});

/** As alice, with a channel that asks for a key update in front of every record. */
function shakeHands(bytes: ByteConnection): Promise<StreamChannel> {
  const handshake = createHandshake({
    role: 'initiator',
    identity: alice.handshakeIdentity(Date.now()),
    versions: { min: 1, max: 2 },
  });
  return new Promise((resolve) => {
    bytes.start({
      onData(chunk) {
        const { reply, result } = handshake.receive(chunk.slice(2), Date.now());
        if (reply !== undefined) bytes.write([frameHandshakeMessage(reply)]);
        if (result !== undefined)
          resolve(createStreamChannel(result, { now: 0, limits: { updateRecords: 1 } }));
      },
      onDrain: () => undefined,
      onEnd: () => undefined,
      onClose: () => undefined,
    });
    bytes.write([frameHandshakeMessage(handshake.start(Date.now()))]);
  });
}
