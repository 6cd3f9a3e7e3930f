import { describe, expect, it } from 'vitest';
import type { ByteConnection } from '../src/byte-connection.ts';
import { createMemoryPair } from '../src/memory.ts';
import type { MuxStream } from '../src/mux/mux-stream.ts';
import type { Stream } from '../src/mux/stream.ts';
import { createTcpTransport } from '../src/tcp.ts';
import type { Transport } from '../src/transport.ts';
import { createWebSocketTransport } from '../src/ws.ts';
import { connectPeers, echo } from './connected.ts';
import { createMuxPair, type MuxPair } from './mux-pair.ts';
import { until } from './secure-peer.ts';

const MiB = 1024 * 1024;
const PIECE = new Uint8Array(64 * 1024);

async function socketPair(transport: Transport, address: string): Promise<[ByteConnection, ByteConnection]> {
  let accept!: (connection: ByteConnection) => void;
  const accepted = new Promise<ByteConnection>((resolve) => {
    accept = resolve;
  });
  await using listener = await transport.listen(address, { onConnection: accept });
  const dialled = await transport.dial(listener.addresses[0]!);
  return [dialled, await accepted];
}

const kinds: [string, () => Promise<[ByteConnection, ByteConnection]>][] = [
  ['memory', async () => [...createMemoryPair()] as [ByteConnection, ByteConnection]],
  ['tcp', () => socketPair(createTcpTransport(), '/ip4/127.0.0.1/tcp/0')],
  ['ws', () => socketPair(createWebSocketTransport(), '/ip4/127.0.0.1/tcp/0/ws')],
];

/** Writes as long as it may, and stops for good when it may not any more. @returns what it wrote and was told to hold back */
async function writeUntilStopped(stream: Stream): Promise<number> {
  let written = 0;
  for (let quiet = 0; quiet < 20; ) {
    while (stream.queuedBytes === 0) {
      stream.write(PIECE);
      written += PIECE.length;
      quiet = 0;
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
    quiet++;
  }
  return written;
}

async function read(stream: Stream, bytes: number): Promise<void> {
  let got = 0;
  stream.receive({
    onData: (chunk) => {
      got += chunk.length;
    },
    onEnd: () => {},
    onReset: () => {},
  });
  await until(() => got >= bytes);
  expect(got).toBe(bytes);
}

describe.each(kinds)('a reader that stops (%s)', (_, createPair) => {
  it('stops the writer, in both directions at once; memory is bounded by the window, and other streams go on', async () => {
    const accepted: Stream[] = [];
    const onStream = (stream: Stream): void => {
      if (stream.protocol === '/echo/1') echo(stream);
      else accepted.push(stream);
    };
    const bytes = await createPair();
    await using peers = await connectPeers({ bytes, near: { onStream }, far: { onStream } });
    const { near, far } = peers;
    const writers = [await near.openStream('/stopped/1'), await far.openStream('/stopped/1')];
    await until(() => accepted.length === 2);
    const written = await Promise.all(writers.map(writeUntilStopped));
    for (const [i, connection] of [far, near].entries()) {
      expect(connection.stats.unreadBytes).toBeLessThanOrEqual(MiB);
      expect(written[i]).toBeLessThanOrEqual(MiB + 2 * PIECE.length);
      expect(written[i]).toBeGreaterThanOrEqual(MiB);
    }
    for (const connection of [near, far]) {
      const other = await connection.openStream('/echo/1', { data: new Uint8Array(300_000) });
      await read(other, 300_000);
    }
    const reads = accepted.map((stream) =>
      read(stream, written[writers.findIndex((one) => one.id === stream.id)]!),
    );
    await Promise.all(reads);
    await Promise.all(writers.map((writer) => writer.drained()));
  });
});

describe('the window of a stream', () => {
  /** Sends as much as it may, over a line with that round trip, to a reader that takes this much each millisecond. */
  async function transfer(roundTrip: number, perMillisecond: number): Promise<number> {
    const pair: MuxPair = createMuxPair();
    const stream = pair.a.mux.openStream('/bulk/1');
    await pair.settle();
    const reader = pair.b.accepted[0] as MuxStream;
    let room = 0;
    reader.receive({
      onData: (chunk) => {
        room -= chunk.length;
        if (room <= 0) reader.pause();
      },
      onEnd: () => {},
      onReset: () => {},
    });
    // The first window's use starts a measurement of the round trip.
    for (let step = 0; step < 400; step++) {
      while (stream.queuedBytes === 0) stream.write(PIECE);
      const pinged = pair.b.mux.ping();
      pair.time += roundTrip;
      room += perMillisecond * roundTrip;
      if (room > 0) reader.resume();
      await pair.settle();
      await pinged;
    }
    return reader.receiveWindow;
  }

  it('grows to 16 MiB for a fast reader on a long line (NZ-WIRE-01 §5.7)', async () => {
    expect(await transfer(100, 100_000)).toBe(16 * MiB);
  });

  it('stays at 1 MiB for a slow reader, however long the line is', async () => {
    expect(await transfer(10, 2_000)).toBe(MiB);
  });
});
