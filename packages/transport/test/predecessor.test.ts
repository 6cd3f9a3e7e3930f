import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { receiveMessages } from '../src/messages/messages.ts';
import { serveRequests } from '../src/messages/request-server.ts';
import { createTcpTransport } from '../src/tcp.ts';
import { openUdpEndpoint } from '../src/udp.ts';
import { createWebSocketTransport } from '../src/ws.ts';
import { createSecurePeer, exchange, serveEcho, until } from './secure-peer.ts';

/** What killed the process of this project's predecessor, and its relatives. */
const PACKETS: [string, Uint8Array][] = [
  ['zeros', new Uint8Array(8)],
  ['ones', new Uint8Array(8).fill(0xff)],
  ['text', new TextEncoder().encode('01234567')],
  ['a length and half a header', Uint8Array.of(0, 6, 1, 1, 1, 0, 0, 0)],
];

describe.each(PACKETS)('eight bytes that nobody expects: %s', (_, packet) => {
  it.each([
    ['tcp', ''],
    ['ws', '/ws'],
  ])('cost their own connection and no other (%s)', async (__, suffix) => {
    const transports = [createTcpTransport(), createWebSocketTransport()];
    await using b = createSecurePeer(2, { transports, handshakeTimeout: 500 });
    serveEcho(b);
    const [bound] = await b.manager.listen(`/ip4/127.0.0.1/tcp/0${suffix}`);
    await using a = createSecurePeer(1, { transports });
    const connection = await a.manager.connect(bound!);
    const socket = connect(Number(bound!.split('/')[4]), '127.0.0.1').on('error', () => {});
    socket.resume().end(packet);
    await until(() => socket.closed);
    expect(await exchange(await connection.openStream('/test/echo'), packet)).toEqual(packet);
    await using late = createSecurePeer(3, { transports });
    expect((await late.manager.connect(bound!)).remotePeer).toBe(b.identity.peerId);
  });

  it('are dropped by a datagram endpoint', async () => {
    await using b = createSecurePeer(2);
    await using a = createSecurePeer(1);
    const address = '/ip4/127.0.0.1/udp/0';
    const reasons: string[] = [];
    await using server = await openUdpEndpoint({
      identity: b.identity,
      address,
      onRequest: ({ content }) => content,
      onEvent: (event) => event.type === 'datagram-dropped' && reasons.push(event.reason),
    });
    await using client = await openUdpEndpoint({ identity: a.identity, address });
    for (const first of [0x5a, 0x5b, 0x5c]) {
      await client.sendForeign(Uint8Array.of(first, ...packet.subarray(1)), server.address);
    }
    await until(() => reasons.length === 3);
    expect(reasons).toEqual(['malformed', 'malformed', 'malformed']);
    expect(await client.request(b.identity.peerId, server.address, packet)).toEqual(packet);
  });

  it('cost an authenticated peer no more than the stream that it sent them on', async () => {
    await using b = createSecurePeer(2);
    serveEcho(b);
    b.manager.handle('/test/requests', (stream) => serveRequests(stream, (body) => body));
    b.manager.handle('/test/messages', async (stream) => {
      for await (const message of receiveMessages(stream)) await message.bytes({ maxLength: 1000 });
    });
    const [bound] = await b.manager.listen('/ip4/127.0.0.1/tcp/0');
    await using a = createSecurePeer(1);
    const connection = await a.manager.connect(bound!);
    for (const protocol of ['/test/requests', '/test/messages']) {
      const stream = await connection.openStream(protocol, { data: packet });
      await stream.closeWrite().catch(() => undefined);
    }
    expect(await exchange(await connection.openStream('/test/echo'), packet)).toEqual(packet);
    expect([connection.isOpen, b.manager.connections().length]).toEqual([true, 1]);
  });
});
