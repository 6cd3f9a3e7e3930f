import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ByteConnection,
  type ByteConnectionHandler,
  type Transport,
  TransportError,
} from '@nzcore/transport';
import { runTransportSuite } from '@nzcore/transport/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { connectPeers } from './connected.ts';

/*
 * What somebody else would write: a transport over local sockets, made of nothing but what the package exports. It holds no surprises, and
 * the suite that everybody can import says whether it does what a connection needs.
 */

/** `/unix/<path, percent-encoded>` */
const pathOf = (address: string): string | undefined => {
  const [, kind, path, ...rest] = address.split('/');
  return kind === 'unix' && path && rest.length === 0 ? decodeURIComponent(path) : undefined;
};

function wrap(socket: Socket, address: string): ByteConnection {
  let handler: ByteConnectionHandler | undefined;
  let failure: Error | undefined;
  let hasEnded = false;
  const tell = (call: (to: ByteConnectionHandler) => void): void => {
    try {
      if (handler) call(handler);
    } catch (error) {
      // Behind `onClose` there is nothing left to end.
      socket.destroy(error as Error);
    }
  };
  socket.on('error', (cause) => {
    failure ??=
      cause instanceof TransportError ? cause : new TransportError('CONNECTION_LOST', 'lost', { cause });
  });
  socket.on('data', (chunk) => tell((to) => to.onData(chunk)));
  socket.on('drain', () => tell((to) => to.onDrain()));
  socket.on('end', () => {
    hasEnded = true;
    tell((to) => to.onEnd());
  });
  socket.on('close', () => tell((to) => to.onClose(failure)));
  socket.pause();
  return {
    localAddress: address,
    remoteAddress: address,
    start: (next) => {
      const isFirst = handler === undefined;
      handler = next;
      if (isFirst && socket.closed) queueMicrotask(() => next.onClose(failure));
      else if (isFirst) queueMicrotask(() => socket.resume());
    },
    write: (chunks) => chunks.reduce((_, chunk) => socket.writable && socket.write(chunk), true),
    pause: () => void socket.pause(),
    resume: () => void (handler && socket.resume()),
    end: () => {
      socket.end();
      if (hasEnded) socket.resume();
    },
    destroy: (error) => {
      failure ??= error;
      socket.destroy();
    },
  };
}

function createUnixTransport(): Transport {
  const understands = (address: string): boolean => pathOf(address) !== undefined;
  return {
    name: 'unix',
    canDial: understands,
    canListen: understands,
    dial: async (address, { signal } = {}) => {
      signal?.throwIfAborted();
      const socket = createConnection({ path: pathOf(address)!, allowHalfOpen: true });
      try {
        await once(socket, 'connect', signal ? { signal } : {});
      } catch (cause) {
        socket.destroy();
        signal?.throwIfAborted();
        throw new TransportError('DIAL_FAILED', `nobody at ${address}`, { cause });
      }
      return wrap(socket, address);
    },
    listen: async (address, { signal, onConnection }) => {
      signal?.throwIfAborted();
      const path = pathOf(address);
      const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
        const connection = wrap(socket, address);
        try {
          onConnection(connection);
        } catch {
          connection.destroy();
        }
      });
      try {
        if (path === undefined) throw new TypeError('not a path');
        server.listen(path);
        await once(server, 'listening');
      } catch (cause) {
        throw new TransportError('LISTEN_FAILED', `cannot listen on ${address}`, { cause });
      }
      return { addresses: [address], [Symbol.asyncDispose]: async () => void server.close() };
    },
  };
}

const folder = mkdtempSync(join(tmpdir(), 'nz-transport-'));
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;
const freshAddress = (): string => `/unix/${encodeURIComponent(join(folder, `${count++}`))}`;

describe('a transport of somebody else, made of what the package exports', () => {
  runTransportSuite({
    test: it,
    create: () => ({
      transport: createUnixTransport(),
      dialler: createUnixTransport(),
      listenAddress: freshAddress(),
      deadAddress: freshAddress(),
      foreignAddress: '/ip4/127.0.0.1/tcp/1',
    }),
  });

  it('carries connections and their streams', async () => {
    const transport = createUnixTransport();
    let accept: (connection: ByteConnection) => void = () => undefined;
    const accepted = new Promise<ByteConnection>((resolve) => {
      accept = resolve;
    });
    await using listener = await transport.listen(freshAddress(), { onConnection: accept });
    const dialled = await transport.dial(listener.addresses[0]!);
    let received = 0;
    await using peers = await connectPeers({
      bytes: [dialled, await accepted],
      far: {
        onStream: (stream) =>
          stream.receive({
            onData: (chunk) => {
              received += chunk.length;
            },
            onEnd: () => undefined,
            onReset: () => undefined,
          }),
      },
    });
    const stream = await peers.near.openStream('/bulk/1');
    for (let i = 0; i < 50; i++) if (!stream.write(new Uint8Array(65_536))) await stream.drained();
    await stream.closeWrite();
    expect(received).toBe(50 * 65_536);
  });
});
