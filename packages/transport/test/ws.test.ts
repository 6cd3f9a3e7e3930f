import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { ByteConnection } from '../src/byte-connection.ts';
import { runTransportSuite } from '../src/testing.ts';
import { MAX_MESSAGE_SIZE, packMessages } from '../src/ws/ws-message.ts';
import { createWebSocketTransport, type WebSocketTransportOptions } from '../src/ws.ts';
import { selfSignedCertificate } from './self-signed.ts';

const LOOPBACK = '/ip4/127.0.0.1/tcp/0/ws';

interface Server extends AsyncDisposable {
  readonly port: number;
  readonly address: string;
  readonly accepted: ByteConnection[];
  readonly closed: Promise<Error | undefined>;
}

async function listen(options: WebSocketTransportOptions = {}, address = LOOPBACK): Promise<Server> {
  const accepted: ByteConnection[] = [];
  let onClosed: (error: Error | undefined) => void = () => {};
  const closed = new Promise<Error | undefined>((resolve) => {
    onClosed = resolve;
  });
  const listener = await createWebSocketTransport(options).listen(address, {
    onConnection: (connection) => {
      accepted.push(connection);
      connection.start({
        onData: () => {},
        onDrain: () => {},
        onEnd: () => connection.end(),
        onClose: onClosed,
      });
    },
  });
  const bound = listener.addresses[0]!;
  const port = Number(bound.split('/')[4]);
  return {
    port,
    address: bound,
    accepted,
    closed,
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
}

describe('WebSocket transport with TLS', () => {
  const tls = selfSignedCertificate();
  runTransportSuite({
    test: it,
    create: () => ({
      transport: createWebSocketTransport({ tls }),
      dialler: createWebSocketTransport({ ca: tls.cert }),
      listenAddress: '/ip4/127.0.0.1/tcp/0/tls/ws',
      deadAddress: '/ip4/127.0.0.1/tcp/1/tls/ws',
      foreignAddress: '/ip4/127.0.0.1/tcp/1',
    }),
  });

  it('refuses a certificate that nobody vouches for, unless it is told to', async () => {
    await using server = await listen({ tls }, '/ip4/127.0.0.1/tcp/0/tls/ws');
    await expect(createWebSocketTransport().dial(server.address)).rejects.toMatchObject({
      code: 'DIAL_FAILED',
    });
    const connection = await createWebSocketTransport({ allowAnyCertificate: true }).dial(server.address);
    connection.destroy();
  });

  it('does not listen on TLS addresses without a certificate', async () => {
    const transport = createWebSocketTransport();
    const address = '/ip4/127.0.0.1/tcp/0/tls/ws';
    expect(transport.canListen(address)).toBe(false);
    await expect(transport.listen(address, { onConnection: () => {} })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
    });
  });
});

describe('WebSocket server', () => {
  it('ends a connection that sends text, bytes after the end, or too long a message', async () => {
    const attacks: ((webSocket: WebSocket) => void)[] = [
      (webSocket) => webSocket.send('text'),
      (webSocket) => {
        webSocket.send(new Uint8Array(0));
        webSocket.send(new Uint8Array(1));
      },
      (webSocket) => webSocket.send(new Uint8Array(MAX_MESSAGE_SIZE + 1)),
      (webSocket) => webSocket.terminate(),
    ];
    for (const attack of attacks) {
      await using server = await listen();
      const webSocket = new WebSocket(`ws://127.0.0.1:${server.port}/`);
      webSocket.on('error', () => {});
      await once(webSocket, 'open');
      attack(webSocket);
      expect(await server.closed).toBeInstanceOf(Error);
      webSocket.terminate();
    }
  });

  it('answers plain requests and wrong paths without a WebSocket, and lives through nonsense', async () => {
    await using server = await listen();
    const response = await new Promise<number | undefined>((resolve) => {
      request({ port: server.port, host: '127.0.0.1' }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }).end();
    });
    expect(response).toBe(426);
    const wrong = createWebSocketTransport().dial(`/ip4/127.0.0.1/tcp/${server.port}/ws/http-path/%2Fother`);
    await expect(wrong).rejects.toMatchObject({ code: 'DIAL_FAILED' });
    for (const nonsense of [
      '\0\0\0\0\0\0\0\0',
      'GET //// HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
    ]) {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => {}).resume();
      socket.write(nonsense);
      await once(socket, 'close');
    }
    const honest = await createWebSocketTransport().dial(server.address);
    honest.destroy();
  });

  it('drops sockets that never become a WebSocket: after their time, and the oldest above the limit', async () => {
    await using server = await listen({ handshakeTimeout: 200, maxPendingUpgrades: 2 });
    const sockets: Socket[] = [];
    const closes: number[] = [];
    for (let i = 0; i < 3; i++) {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => {}).resume();
      socket.on('close', () => closes.push(i));
      await once(socket, 'connect');
      socket.write('GET / HT');
      sockets.push(socket);
    }
    await Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')));
    expect(closes[0]).toBe(0);
    expect(server.accepted).toEqual([]);
  });

  it('bounds what it queues for a peer that pings and never reads', async () => {
    await using server = await listen();
    const webSocket = new WebSocket(`ws://127.0.0.1:${server.port}/`);
    let socket: Socket | undefined;
    webSocket.once('upgrade', (response) => {
      socket = response.socket;
    });
    await once(webSocket, 'open');
    socket!.pause();
    const before = process.memoryUsage().arrayBuffers;
    const ping = new Uint8Array(125);
    // More than the buffers of the machine hold on the way back.
    for (let sent = 0; sent < 160_000; sent++) {
      webSocket.ping(ping);
      if (socket!.writableNeedDrain) await once(socket!, 'drain');
    }
    await once(socket!.setTimeout(100), 'timeout');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
    webSocket.terminate();
    await server.closed;
  });

  it('masks when it is told to', async () => {
    await using server = await listen();
    const connection = await createWebSocketTransport({ useMasking: true }).dial(server.address);
    connection.start({ onData: () => {}, onDrain: () => {}, onEnd: () => {}, onClose: () => {} });
    connection.write([new Uint8Array(100_000).fill(5)]);
    connection.end();
    expect(await server.closed).toBeUndefined();
  });
});

describe('WebSocket messages', () => {
  it('join small chunks, leave large ones alone, and are never empty or too long', () => {
    const sizes = [0, 1, 100, 8191, 8192, 65_536, 3, 0, 300_000, ...new Array<number>(40).fill(8000)];
    const chunks = sizes.map((size, i) => new Uint8Array(size).fill(i));
    const messages = packMessages(chunks);
    expect(Buffer.concat(messages).equals(Buffer.concat(chunks))).toBe(true);
    expect(messages.every(({ length }) => length > 0 && length <= MAX_MESSAGE_SIZE)).toBe(true);
    expect(packMessages([chunks[5]!])[0]!.buffer).toBe(chunks[5]!.buffer);
    expect(packMessages([])).toEqual([]);
  });
});
