import { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { AsyncFuzzTarget } from '../../../../checks/fuzz-engine.ts';
import type { ByteConnection } from '../../src/byte-connection.ts';
import { HandshakeReader } from '../../src/connection/handshake-framing.ts';
import { TransportError } from '../../src/errors.ts';
import { ReadTurns } from '../../src/tcp/read-turns.ts';
import { createWebSocketConnection } from '../../src/ws/ws-connection.ts';
import { WEB_SOCKET_OPTIONS } from '../../src/ws/ws-options.ts';
import { concat } from '../mux-pair.ts';
import { webSocketFrame } from '../raw-web-socket.ts';

/** What ws keeps to itself: how a socket becomes a WebSocket, and on which side. */
interface Internals {
  _isServer: boolean;
  setSocket(socket: Duplex, head: Buffer, options: object): void;
}

/** As many bytes as may be answered: the goodbye, and each ping once. */
const ANSWERS = 1024;

/** Turns of the event loop in which all must be over. */
const TURNS = 50;

const ENDINGS = ['CONNECTION_LOST', 'PROTOCOL_ERROR', 'LIMIT_EXCEEDED', 'HANDSHAKE_FAILED'];

/** A socket of nobody: what comes is pushed, what goes is counted. */
class LooseSocket extends Duplex {
  written = 0;
  setNoDelay(): void {}
  setTimeout(): void {}
  override _read(): void {}
  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.written += chunk.length;
    done();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Reads handshake messages, as whoever gets the connection does, and ends it at the first that is none. A slow one reads a piece in a turn. */
function readHandshake(connection: ByteConnection, isSlow: boolean) {
  const reader = new HandshakeReader();
  const seen = { bytes: 0, closes: 0, error: undefined as Error | undefined };
  connection.start({
    onData: (chunk) => {
      seen.bytes += chunk.length;
      if (isSlow) {
        connection.pause();
        setImmediate(() => connection.resume());
      }
      for (let rest = chunk; rest.length > 0; ) rest = rest.subarray(reader.read(rest).used);
    },
    onDrain: () => undefined,
    onEnd: () => connection.end(),
    onClose: (error) => {
      seen.closes += 1;
      seen.error = error;
    },
  });
  return seen;
}

/** Bytes as a client or a server gets them behind the upgrade, in pieces, some of them while nobody reads. */
async function receive(input: Uint8Array, isServer: boolean): Promise<void> {
  const socket = new LooseSocket();
  const webSocket = new WebSocket(null as unknown as string, undefined, WEB_SOCKET_OPTIONS);
  const internals = webSocket as unknown as Internals;
  internals._isServer = isServer;
  // Chosen by the input, so that it alone repeats the run.
  const how = input.reduce((sum, byte) => sum + byte, input.length);
  const cut = how % (input.length + 1);
  internals.setSocket(socket, Buffer.from(input.subarray(0, cut)), WEB_SOCKET_OPTIONS);
  const address = '/ip4/127.0.0.1/tcp/1/ws';
  const turns = new ReadTurns(false);
  const connection = createWebSocketConnection({
    webSocket,
    socket: socket as never,
    localAddress: address,
    remoteAddress: address,
    turns,
  });
  const seen = readHandshake(connection, (how & 16) !== 0);
  if (how & 1) connection.pause();
  if (!socket.destroyed) socket.push(input.subarray(cut));
  if (how & 2) await turn();
  if (how & 1) connection.resume();
  if (how & 32) for (let turns = 0; turns < 6; turns++) await turn();
  if (how & 4) socket.destroy();
  else if (!socket.destroyed) socket.push(null);
  if (how & 8) connection.write([new Uint8Array(10)]);
  for (let turns = 0; seen.closes === 0 && turns < TURNS; turns++) await turn();
  if (seen.closes === 0 || !socket.destroyed) throw new Error('it does not end');
  await turn();
  if (seen.closes !== 1) throw new Error('it ended twice');
  if (seen.bytes > input.length) throw new Error('more than what came');
  if (socket.written > ANSWERS + 2 * input.length) throw new Error('more answers than questions');
  const { error } = seen;
  if (error && !(error instanceof TransportError && ENDINGS.includes(error.code))) throw error;
}

const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const message = concat([
  Uint8Array.of(0, 10),
  new Uint8Array(10).fill(7),
  Uint8Array.of(0, 200),
  new Uint8Array(200).fill(7),
]);

/** What is said well and badly; masked for a server. */
const seedsFor = (isMasked: boolean): Uint8Array[] => {
  const frame = (opcode: number, payload: Uint8Array, more: object = {}): Uint8Array =>
    webSocketFrame(opcode, payload, { isMasked, ...more });
  const code = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 255);
  return [
    concat([
      frame(Opcode.binary, message),
      frame(Opcode.binary, new Uint8Array(0)),
      frame(Opcode.close, code(1000)),
    ]),
    concat([
      frame(Opcode.binary, message.subarray(0, 50), { isLast: false }),
      frame(Opcode.ping, new Uint8Array(125)),
      frame(Opcode.continuation, message.subarray(50, 60), { isLast: false }),
      frame(Opcode.continuation, message.subarray(60)),
    ]),
    concat(Array.from({ length: 5 }, () => frame(Opcode.binary, message.subarray(0, 12)))),
    concat(Array.from({ length: 30 }, () => frame(Opcode.ping, Uint8Array.of(1, 2, 3)))),
    concat([frame(Opcode.text, message), frame(Opcode.pong, new Uint8Array(4))]),
    concat([frame(Opcode.binary, message, { isMasked: !isMasked }), frame(Opcode.close, code(1005))]),
    concat([frame(Opcode.binary, message, { reserved: 4 }), frame(3, message), frame(11, message)]),
    frame(Opcode.binary, message, { length: 2 ** 40 }),
    frame(Opcode.binary, message, { length: 2 ** 63 - 1024 }),
    frame(Opcode.binary, message, { length: 256 * 1024 + 1 }),
    concat([frame(Opcode.close, Uint8Array.of(3)), frame(Opcode.binary, message)]),
    concat([
      frame(Opcode.close, concat([code(4000), new Uint8Array(123).fill(255)])),
      frame(Opcode.ping, new Uint8Array(126)),
    ]),
    concat([frame(Opcode.binary, new Uint8Array(0)), frame(Opcode.binary, Uint8Array.of(1))]),
    concat(
      Array.from({ length: 40 }, (_, i) =>
        frame(i === 0 ? Opcode.binary : Opcode.continuation, Uint8Array.of(0), { isLast: false }),
      ),
    ),
  ];
};

export const targets: readonly AsyncFuzzTarget[] = [true, false].map((isServer) => ({
  name: `WebSocket frames as a ${isServer ? 'server' : 'client'} gets them`,
  seeds: seedsFor(isServer),
  runAsync: (input) => receive(input, isServer),
}));
