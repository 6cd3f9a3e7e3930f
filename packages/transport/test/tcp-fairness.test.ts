import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { createTcpTransport } from '../src/tcp.ts';
import { until } from './secure-peer.ts';

/** Floods on one connection, and says one byte every other millisecond on another; in a thread of its own, that nothing holds up. */
const SENDER = `
  const { connect } = require('node:net');
  const { workerData: port } = require('node:worker_threads');
  const open = (first) => connect(port, '127.0.0.1').on('error', () => {}).on('connect', function () { this.write(first); });
  const flood = open('f');
  const piece = Buffer.alloc(1024 * 1024, 'f');
  const pump = () => { while (flood.write(piece)); };
  flood.on('drain', pump).on('connect', pump);
  const quiet = open('q');
  setInterval(() => quiet.write('q'), 2);
`;

function work(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

it('a peer whose bytes cost much work takes turns with the others', async () => {
  /** Reads of the flood since the last byte of the quiet one. */
  let run = 0;
  const runs: number[] = [];
  await using listener = await createTcpTransport().listen('/ip4/127.0.0.1/tcp/0', {
    onConnection: (connection) => {
      connection.start({
        onData: (chunk) => {
          if (chunk[0] === 'q'.charCodeAt(0)) {
            runs.push(run);
            run = 0;
            return;
          }
          run++;
          work(4);
        },
        onDrain: () => {},
        onEnd: () => {},
        onClose: () => {},
      });
    },
  });
  const sender = new Worker(SENDER, { eval: true, workerData: Number(listener.addresses[0]!.split('/')[4]) });
  await until(() => runs.length > 60, 20_000);
  await sender.terminate();
  // The kernel needs some reads to give the flood a large buffer; from then on libuv would read 32 times in a row.
  expect(Math.max(...runs)).toBeLessThanOrEqual(4);
}, 30_000);
