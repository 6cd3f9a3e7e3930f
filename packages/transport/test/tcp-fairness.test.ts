import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { createTcpTransport } from '../src/tcp.ts';
import type { Transport } from '../src/transport.ts';
import { createWebSocketTransport } from '../src/ws.ts';
import { until } from './secure-peer.ts';

/** Floods on one connection, and says one byte every other millisecond on another; in a thread of its own, that nothing holds up. */
const SENDER = `
  const { connect } = require('node:net');
  const { workerData: { port, ws } } = require('node:worker_threads');
  const { WebSocket } = ws ? require(ws) : {};
  const tcp = (first) => connect(port, '127.0.0.1').on('error', () => {}).on('connect', function () { this.write(first); });
  const web = (first) => {
    const socket = new WebSocket('ws://127.0.0.1:' + port, { perMessageDeflate: false }).on('error', () => {});
    return socket.on('open', () => { socket.send(Buffer.from(first)); socket.emit('connect'); });
  };
  const open = ws ? web : tcp;
  const flood = open('f');
  const piece = Buffer.alloc(1024 * 1024, 'f');
  const pump = ws
    ? () => { if (flood.bufferedAmount < 8e6) flood.send(piece); setTimeout(pump, 1); }
    : () => { while (flood.write(piece)); };
  flood.on('drain', pump).on('connect', pump);
  const quiet = open('q');
  setInterval(() => ws ? quiet.readyState === 1 && quiet.send(Buffer.from('q')) : quiet.write('q'), 2);
`;

function work(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

const TRANSPORTS: readonly (readonly [string, () => Transport, string, string | undefined])[] = [
  ['tcp', () => createTcpTransport(), '', undefined],
  ["tcp by 'data'", () => createTcpTransport({ useSharedBuffer: false }), '', undefined],
  ['ws', () => createWebSocketTransport(), '/ws', import.meta.resolve('ws')],
];

it.each(TRANSPORTS)(
  'a peer whose bytes cost much work takes turns with the others: %s',
  async (_, create, suffix, ws) => {
    /** Milliseconds of work on the flood since the last byte of the quiet one. */
    let run = 0;
    const runs: number[] = [];
    await using listener = await create().listen(`/ip4/127.0.0.1/tcp/0${suffix}`, {
      onConnection: (connection) => {
        connection.start({
          onData: (chunk) => {
            if (chunk[0] === 'q'.charCodeAt(0)) {
              runs.push(run);
              run = 0;
              return;
            }
            // As much as frames of twenty bytes cost: a read of 256 KiB takes 13 ms.
            const cost = chunk.length / 20_000;
            run += cost;
            work(cost);
          },
          onDrain: () => {},
          onEnd: () => {},
          onClose: () => {},
        });
      },
    });
    const port = Number(listener.addresses[0]!.split('/')[4]);
    const path = ws === undefined ? undefined : fileURLToPath(ws);
    const sender = new Worker(SENDER, { eval: true, workerData: { port, ws: path } });
    await until(() => runs.length > 60, 20_000);
    await sender.terminate();
    // A turn is a third of a millisecond, and the byte comes every other one. The first read may be of any size.
    runs.sort((a, b) => a - b);
    expect(runs[Math.floor(runs.length / 2)]).toBeLessThanOrEqual(10);
  },
  30_000,
);
