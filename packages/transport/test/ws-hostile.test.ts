import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fuzzAsync } from '../../../checks/fuzz-engine.ts';
import type { ByteConnection } from '../src/byte-connection.ts';
import { upgradeInbound, upgradeOutbound } from '../src/connection/upgrade.ts';
import { TransportError } from '../src/errors.ts';
import { MAX_MESSAGE_SIZE } from '../src/ws/ws-message.ts';
import { createWebSocketTransport } from '../src/ws.ts';
import { alice, bob, collect, connectPeers, echo } from './connected.ts';
import { concat } from './mux-pair.ts';
import { webSocketFrame } from './raw-web-socket.ts';
import { until } from './secure-peer.ts';

/** Real sockets are slow: the frames themselves are fuzzed in `fuzz.test.ts`. */
const RUNS = 300;

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const crlf = (...lines: readonly string[]): Uint8Array => text(`${lines.join('\r\n')}\r\n\r\n`);

const upgrade = [
  'GET / HTTP/1.1',
  'Host: x',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
];
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const switching = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];

/** Handshake messages and nonsense, fragmented and not. */
function frames(isMasked: boolean): Uint8Array {
  const message = concat([Uint8Array.of(0, 40), new Uint8Array(40).fill(9)]);
  return concat([
    webSocketFrame(2, message.subarray(0, 10), { isMasked, isLast: false }),
    webSocketFrame(9, new Uint8Array(20), { isMasked }),
    webSocketFrame(0, message.subarray(10), { isMasked }),
    webSocketFrame(2, message, { isMasked }),
    webSocketFrame(8, Uint8Array.of(3, 232), { isMasked }),
  ]);
}

/** What reached the process instead of whom it belonged to. */
let escaped: unknown[] = [];
const onEscaped = (error: unknown): void => void escaped.push(error);
beforeEach(() => {
  escaped = [];
  process.on('uncaughtException', onEscaped).on('unhandledRejection', onEscaped);
});
afterEach(() => {
  process.off('uncaughtException', onEscaped).off('unhandledRejection', onEscaped);
  expect(escaped).toEqual([]);
});

const CODES = [
  'CONNECTION_LOST',
  'PROTOCOL_ERROR',
  'LIMIT_EXCEEDED',
  'HANDSHAKE_FAILED',
  'VERSION_UNSUPPORTED',
];

/** Ends of connections that were made into peers, as their owners saw them. */
class Ends {
  begun = 0;
  readonly codes: unknown[] = [];

  watch(upgrading: Promise<unknown>): void {
    this.begun += 1;
    upgrading.then(
      () => this.codes.push('a peer'),
      (error: unknown) => this.codes.push(error instanceof TransportError ? error.code : error),
    );
  }

  async expectAll(): Promise<void> {
    await until(() => this.codes.length === this.begun);
    expect(this.codes.filter((code) => !CODES.includes(code as string))).toEqual([]);
  }
}

/** Sends 64 bytes over a connection and back. */
async function roundTrip(connection: Awaited<ReturnType<typeof connectPeers>>['near']): Promise<void> {
  const stream = await connection.openStream('/echo/1');
  const collected = collect(stream);
  stream.write(new Uint8Array(64));
  await stream.closeWrite();
  await collected.done;
  expect(collected.bytes).toBe(64);
}

describe('a WebSocket of nobody we know', () => {
  it('as a client says anything: its connection ends with a code, and others go on', async () => {
    const ends = new Ends();
    const identity = bob.handshakeIdentity(Date.now());
    const transport = createWebSocketTransport({ handshakeTimeout: 1000 });
    let honest: ((connection: ByteConnection) => void) | undefined;
    await using listener = await transport.listen('/ip4/127.0.0.1/tcp/0/ws', {
      onConnection: (connection) => {
        if (honest) honest(connection);
        else ends.watch(upgradeInbound(connection, { identity }));
      },
    });
    const accepted = new Promise<ByteConnection>((resolve) => {
      honest = resolve;
    });
    const dialled = await transport.dial(listener.addresses[0]!);
    const bytes = [dialled, await accepted] as const;
    honest = undefined;
    await using peers = await connectPeers({ bytes, far: { onStream: echo } });
    const port = Number(listener.addresses[0]!.split('/')[4]);
    const run = async (input: Uint8Array): Promise<void> => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      socket.end(input);
      await once(socket, 'close');
    };
    const request = crlf(...upgrade, `Sec-WebSocket-Key: ${KEY}`);
    const seeds = [
      concat([request, frames(true)]),
      concat([request, frames(false)]),
      crlf(...upgrade),
      crlf('GET / HTTP/1.1'),
    ];
    await fuzzAsync({ name: 'as a client', seeds, runAsync: run }, { runs: RUNS, seed: 3 });
    // As it should be, so that some get as far as the handshake.
    await run(seeds[0]!);
    await ends.expectAll();
    expect(ends.codes).toContain('HANDSHAKE_FAILED');
    expect(ends.begun).toBeGreaterThan(10);
    await roundTrip(peers.near);
  });

  it('as a server answers anything: the dial or the handshake fails with a code', async () => {
    const ends = new Ends();
    let answer: Uint8Array = new Uint8Array(0);
    const server = createServer((socket: Socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (request: Buffer) => {
        const key = /Sec-WebSocket-Key: (.*)\r\n/.exec(request.toString('latin1'))?.[1] ?? '';
        const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64');
        // The place of the key's answer: all the rest is the same for every dial.
        const told = Buffer.from(answer).toString('latin1').replace('@', accept);
        socket.resume().end(told, 'latin1');
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const transport = createWebSocketTransport({ handshakeTimeout: 1000 });
    const identity = alice.handshakeIdentity(Date.now());
    const run = async (input: Uint8Array): Promise<void> => {
      answer = input;
      const connection = await transport.dial(`/ip4/127.0.0.1/tcp/${port}/ws`).catch((error: unknown) => {
        expect(error).toMatchObject({ name: 'TransportError', code: 'DIAL_FAILED' });
        return undefined;
      });
      if (connection === undefined) return;
      const upgrading = upgradeOutbound(connection, { identity });
      ends.watch(upgrading);
      await upgrading.catch(() => undefined);
    };
    const accepted = crlf(
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Accept: @',
    );
    const moved = crlf('HTTP/1.1 301 Moved', 'Location: ws://127.0.0.1:1/', 'Content-Length: 0');
    const seeds = [concat([accepted, frames(false)]), concat([accepted, frames(true)]), moved];
    await fuzzAsync({ name: 'as a server', seeds, runAsync: run }, { runs: RUNS, seed: 4 });
    await run(seeds[0]!);
    await run(seeds[1]!);
    await ends.expectAll();
    expect(ends.begun).toBeGreaterThan(1);
    server.close();
  });

  it('is told before it has sent one that a message is too long, and gets no compression, on either side', async () => {
    const length = MAX_MESSAGE_SIZE + 1;
    const transport = createWebSocketTransport();
    const codes: unknown[] = [];
    const start = (connection: ByteConnection): void =>
      connection.start({
        onData: () => undefined,
        onDrain: () => undefined,
        onEnd: () => undefined,
        onClose: (error) => codes.push(error instanceof TransportError ? error.code : error),
      });
    await using listener = await transport.listen('/ip4/127.0.0.1/tcp/0/ws', { onConnection: start });
    const socket = connect(Number(listener.addresses[0]!.split('/')[4]), '127.0.0.1');
    let heard = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
    });
    const offer = 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits';
    socket.write(crlf(...upgrade, `Sec-WebSocket-Key: ${KEY}`, offer));
    await until(() => heard.includes('\r\n\r\n'));
    expect(heard.toString('latin1')).toMatch(/^HTTP\/1.1 101 /);
    expect(heard.toString('latin1')).not.toMatch(/extensions/i);
    heard = Buffer.alloc(0);
    socket.write(webSocketFrame(2, new Uint8Array(0), { isMasked: true, length }));
    await until(() => heard.length >= 4);
    expect([heard[0], heard.readUInt16BE(2)]).toEqual([0x88, 1009]);
    socket.destroy();
    await until(() => codes.length === 1);

    let request = '';
    let answered = Buffer.alloc(0);
    const server = createServer((accepted) => {
      accepted.on('error', () => undefined);
      accepted.once('data', (bytes: Buffer) => {
        request = bytes.toString('latin1');
        const key = /Sec-WebSocket-Key: (.*)\r\n/.exec(request)?.[1] ?? '';
        const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64');
        accepted.write(crlf(...switching, `Sec-WebSocket-Accept: ${accept}`));
        accepted.write(webSocketFrame(2, new Uint8Array(0), { length }));
        accepted.on('data', (bytes: Buffer) => {
          answered = Buffer.concat([answered, bytes]);
          if (answered.length >= 8) accepted.destroy();
        });
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    start(await transport.dial(`/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}/ws`));
    await until(() => codes.length === 2);
    expect(request).not.toMatch(/extensions/i);
    // Masked with zeroes.
    expect([answered[0], answered.readUInt16BE(6)]).toEqual([0x88, 1009]);
    expect(codes).toEqual(['CONNECTION_LOST', 'CONNECTION_LOST']);
    server.close();
  });
});
