import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { type Adapter, decodeMode, encodeMode, type PeerStream } from '../adapter.ts';

// ws has no back-pressure but the count of bytes that wait; the writer stops at the high mark and goes on at the low one.
const highWaterMark = 256 * 1024;
const lowWaterMark = 64 * 1024;

function streamOverWebSocket(socket: WebSocket): PeerStream {
  const stream: PeerStream = {
    onBytes: () => undefined,
    onEnd: () => undefined,
    write(data) {
      socket.send(data);
      return socket.bufferedAmount < highWaterMark;
    },
    drained: () =>
      new Promise((resolve) => {
        const look = (): void => {
          if (socket.bufferedAmount < lowWaterMark || socket.readyState !== WebSocket.OPEN) resolve();
          else setImmediate(look);
        };
        setImmediate(look);
      }),
    end: () => socket.close(),
  };
  socket.on('close', () => stream.onEnd());
  socket.on('error', () => undefined);
  return stream;
}

/** Plain ws without TLS and without compression. */
export const adapter: Adapter = {
  serve: (onStream) =>
    new Promise((resolve) => {
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
      server.on('connection', (socket, request) => {
        request.socket.setNoDelay(true);
        const stream = streamOverWebSocket(socket);
        socket.once('message', (first: Buffer) => {
          onStream(stream, decodeMode(first[0]));
          socket.on('message', (data: Buffer) => stream.onBytes(data.byteLength));
        });
      });
      server.once('listening', () => resolve(String((server.address() as AddressInfo).port)));
    }),
  connect: async (address) => ({
    dial: () =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`ws://127.0.0.1:${address}`, { perMessageDeflate: false });
        socket.once('error', reject);
        socket.once('open', () => {
          resolve({
            async open(mode) {
              const stream = streamOverWebSocket(socket);
              socket.on('message', (data: Buffer) => stream.onBytes(data.byteLength));
              socket.send(encodeMode(mode));
              return stream;
            },
            close: () => socket.terminate(),
          });
        });
      }),
  }),
};
