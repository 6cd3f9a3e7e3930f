import { describe, expect, it } from 'vitest';
import { createMemoryNetwork, createMemoryTransport } from '../src/memory.ts';
import { createTcpTransport } from '../src/tcp.ts';
import type { Transport } from '../src/transport.ts';
import { createWebSocketTransport } from '../src/ws.ts';
import { createSecurePeer, exchange, serveEcho, until } from './secure-peer.ts';

const network = createMemoryNetwork();
const TRANSPORTS: [string, string, () => Transport][] = [
  ['TCP', '/ip4/127.0.0.1/tcp/0', createTcpTransport],
  ['WebSocket', '/ip4/127.0.0.1/tcp/0/ws', createWebSocketTransport],
  ['memory', '/memory/secure', () => createMemoryTransport({ network })],
];

describe.each(TRANSPORTS)('authenticated connections over %s', (_name, address, createTransport) => {
  it('give a stream to a PeerId, and reuse the connection', async () => {
    await using a = createSecurePeer(1, { transports: [createTransport()] });
    await using b = createSecurePeer(2, { transports: [createTransport()] });
    serveEcho(b);
    const [bound] = await b.manager.listen(address);
    a.manager.addressBook.add(b.identity.peerId, [bound!], { source: 'manual' });
    const data = new Uint8Array(300_000).map((_, i) => i % 251);
    for (let i = 0; i < 3; i++) {
      const stream = await a.manager.openStream(b.identity.peerId, '/test/echo');
      expect(Buffer.from(await exchange(stream, data)).equals(data)).toBe(true);
    }
    expect([a.manager.connections().length, b.manager.connections().length]).toEqual([1, 1]);
    const [mine, theirs] = [a.manager.connections()[0]!, b.manager.connections()[0]!];
    expect(mine.channelBinding).toEqual(theirs.channelBinding);
    expect(theirs.remotePeer).toBe(a.identity.peerId);
  });

  it('refuse a protocol that nobody serves, and go on', async () => {
    await using a = createSecurePeer(1, { transports: [createTransport()] });
    await using b = createSecurePeer(2, { transports: [createTransport()] });
    serveEcho(b);
    b.manager.handle('/test/broken', () => {
      throw new Error('mine');
    });
    const [bound] = await b.manager.listen(address);
    const { remotePeer } = await a.manager.connect(bound!);
    for (const protocol of ['/test/nothing', '/test/broken']) {
      const refused = await a.manager.openStream(remotePeer, protocol);
      await expect(exchange(refused, new Uint8Array(10))).rejects.toMatchObject({
        code: protocol === '/test/nothing' ? 'UNSUPPORTED_PROTOCOL' : 'STREAM_RESET',
      });
    }
    const stream = await a.manager.openStream(remotePeer, '/test/echo');
    expect((await exchange(stream, new Uint8Array(10))).length).toBe(10);
    expect(b.count('handler-failed')).toBe(1);
  });
});

describe('connection manager over TCP', () => {
  it('connects again with the cached key, and falls back when the peer has a new one', async () => {
    await using a = createSecurePeer(1);
    const first = createSecurePeer(2);
    const [bound] = await first.manager.listen('/ip4/127.0.0.1/tcp/0');
    const { remotePeer } = await a.manager.connect(bound!);
    expect(a.manager.addressBook.staticKey(remotePeer)).toEqual(a.manager.connections()[0]!.remoteStaticKey);
    await first[Symbol.asyncDispose]();
    await until(() => a.manager.connections().length === 0);
    await using again = createSecurePeer(2);
    await again.manager.listen(bound!);
    await a.manager.connect(remotePeer);
    await until(() => again.manager.connections().length === 1);
    again.manager.connections()[0]!.abort();
    await until(() => a.manager.connections().length === 0);
    // Another static key than that of the peer: the answer is XXfallback, and the true key is learned.
    const wrong = again.identity.handshakeIdentity(Date.now()).staticKeyPair.publicKey.slice().reverse();
    a.manager.addressBook.recordSuccess(remotePeer, bound!, wrong);
    const connection = await a.manager.connect(remotePeer);
    expect(a.manager.addressBook.staticKey(remotePeer)).toEqual(connection.remoteStaticKey);
    expect(connection.remoteStaticKey).not.toEqual(wrong);
  });

  it('leaves one connection after simultaneous dials, thirty times, and loses no stream', async () => {
    for (let round = 0; round < 30; round++) {
      await using a = createSecurePeer(1);
      await using b = createSecurePeer(2);
      for (const [one, two] of [
        [a, b],
        [b, a],
      ] as const) {
        serveEcho(one);
        const [bound] = await one.manager.listen('/ip4/127.0.0.1/tcp/0');
        two.manager.addressBook.add(one.identity.peerId, [bound!], { source: 'manual' });
      }
      // In every third round with cached keys, so that the handshakes are of one round trip.
      if (round % 3 === 0) {
        for (const [one, two] of [
          [a, b],
          [b, a],
        ] as const) {
          const key = two.identity.keyAgreementPublicKey;
          one.manager.addressBook.recordSuccess(two.identity.peerId, two.manager.listenAddresses[0]!, key);
        }
      }
      const data = new Uint8Array(1000).fill(round);
      const echoes = await Promise.all([
        a.manager.openStream(b.identity.peerId, '/test/echo').then((stream) => exchange(stream, data)),
        b.manager.openStream(a.identity.peerId, '/test/echo').then((stream) => exchange(stream, data)),
      ]);
      for (const echo of echoes) expect(Buffer.from(echo).equals(data)).toBe(true);
      await until(() => a.manager.connections().length === 1 && b.manager.connections().length === 1);
      expect(a.manager.connections()[0]!.channelBinding).toEqual(b.manager.connections()[0]!.channelBinding);
      expect([a.count('peer-disconnected'), b.count('peer-disconnected')]).toEqual([0, 0]);
    }
  });

  it('drains: streams that are open end by themselves while the peer closes', async () => {
    await using a = createSecurePeer(1);
    const b = createSecurePeer(2);
    serveEcho(b);
    const [bound] = await b.manager.listen('/ip4/127.0.0.1/tcp/0');
    const { remotePeer } = await a.manager.connect(bound!);
    const stream = await a.manager.openStream(remotePeer, '/test/echo', { data: new Uint8Array(5) });
    await until(() => b.manager.connections()[0]?.stats.streams === 1);
    const closing = b.manager.close();
    expect((await exchange(stream, new Uint8Array(1000))).length).toBe(1005);
    await closing;
    await until(() => a.manager.connections().length === 0);
    expect(a.events.at(-1)).toMatchObject({ type: 'peer-disconnected', error: undefined });
  });

  it('keeps outsiders out of a private network', async () => {
    await using a = createSecurePeer(1);
    const networkKey = new Uint8Array(32).fill(3);
    await using b = createSecurePeer(2, { secure: { networkKey } });
    await using c = createSecurePeer(3, { secure: { networkKey } });
    const [bound] = await b.manager.listen('/ip4/127.0.0.1/tcp/0');
    await expect(a.manager.connect(bound!)).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
    expect((await c.manager.connect(bound!)).remotePeer).toBe(b.identity.peerId);
  });

  it('lets no stream of a banned peer reach its handler, though it came with the end of the handshake', async () => {
    await using a = createSecurePeer(1);
    await using b = createSecurePeer(2);
    const [bound] = await b.manager.listen('/ip4/127.0.0.1/tcp/0');
    let served = 0;
    b.manager.handle('/test/order', (stream) => {
      served++;
      stream.reset();
    });
    // With the cached key the stream is in the first record, which also ends the handshake.
    const { peerId, keyAgreementPublicKey } = b.identity;
    a.manager.addressBook.recordSuccess(peerId, bound!, keyAgreementPublicKey);
    b.manager.ban(a.identity.peerId);
    await a.manager.openStream(peerId, '/test/order', { data: new Uint8Array(5) });
    await until(() => b.count('handshake-failed') === 1 && a.manager.connections().length === 0);
    expect(served).toBe(0);
    b.manager.unban(a.identity.peerId);
    await a.manager.openStream(peerId, '/test/order', { data: new Uint8Array(5) });
    await until(() => served === 1);
  });

  it('gives up whoever answers at an address when that is a banned peer', async () => {
    await using a = createSecurePeer(1);
    await using b = createSecurePeer(2);
    const [bound] = await b.manager.listen('/ip4/127.0.0.1/tcp/0');
    a.manager.ban(b.identity.peerId);
    await expect(a.manager.connect(bound!)).rejects.toMatchObject({ code: 'BANNED' });
    expect(a.manager.connections()).toEqual([]);
  });

  it('races addresses: a dead one and one that says nothing do not hold up the one that works', async () => {
    await using a = createSecurePeer(1);
    await using b = createSecurePeer(2);
    const [bound] = await b.manager.listen('/ip4/127.0.0.1/tcp/0');
    const silent = await createTcpTransport().listen('/ip4/127.0.0.1/tcp/0', { onConnection: () => {} });
    const addresses = ['/ip4/127.0.0.1/tcp/1', silent.addresses[0]!, bound!];
    a.manager.addressBook.add(b.identity.peerId, addresses, { source: 'manual' });
    const started = performance.now();
    await a.manager.connect(b.identity.peerId);
    expect(performance.now() - started).toBeLessThan(2_000);
    await silent[Symbol.asyncDispose]();
  });

  it('races addresses over several transports, and takes what worked next time', async () => {
    const transports = [createTcpTransport(), createWebSocketTransport()];
    const quick = { transports, dialPolicy: { attemptDelay: 50 } };
    await using a = createSecurePeer(1, quick);
    await using b = createSecurePeer(2, quick);
    const silent = await createTcpTransport().listen('/ip4/127.0.0.1/tcp/0', { onConnection: () => {} });
    const [bound] = await b.manager.listen('/ip4/127.0.0.1/tcp/0/ws');
    const peer = b.identity.peerId;
    // TCP is preferred, accepts, and says nothing.
    a.manager.addressBook.add(peer, [silent.addresses[0]!, bound!], { source: 'manual' });
    const first = await a.manager.connect(peer);
    expect(first.remoteAddress).toBe(bound);
    await first.close();
    let dialledSilent = 0;
    await silent[Symbol.asyncDispose]();
    const port = Number(silent.addresses[0]!.split('/')[4]);
    const watch = await createTcpTransport().listen(`/ip4/127.0.0.1/tcp/${port}`, {
      onConnection: (connection) => {
        dialledSilent++;
        connection.destroy();
      },
    });
    expect((await a.manager.connect(peer)).remoteAddress).toBe(bound);
    expect(dialledSilent).toBe(0);
    await watch[Symbol.asyncDispose]();
  });
});
