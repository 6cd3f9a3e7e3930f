import { setTimeout as delay } from 'node:timers/promises';
import { percentile } from '../statistics.ts';
import type { Mode, PeerClient, PeerConnection, PeerStream } from './adapter.ts';
import { type Memory, measureMemory } from './messages.ts';

/** The server's side as the dialling side sees it, besides the network. */
export interface ServerControl {
  /** Resolves with the bytes that the next bulk stream to end has brought. */
  received(): Promise<number>;
  memory(): Promise<Memory>;
}

/** Everything a workload works with. */
export interface Bench {
  readonly client: PeerClient;
  readonly server: ServerControl;
}

/** Measures once; the figures are named as the rows are. */
export type Workload = (bench: Bench) => Promise<Readonly<Record<string, number>>>;

const message = new Uint8Array(64).fill(7);
const messagesInFlight = 64;

/** Megabytes a second, from the first write until the other side has counted the last byte. */
async function pump({ client, server }: Bench, size: number, milliseconds: number): Promise<number> {
  const connection = await client.dial();
  const stream = await connection.open('bulk');
  const received = server.received();
  const chunk = new Uint8Array(size).fill(3);
  // The clock is looked at every 64 KiB at least, and not for every small write.
  const writes = Math.max(4, 65_536 / size);
  const started = performance.now();
  while (performance.now() - started < milliseconds) {
    for (let write = 0; write < writes; write++) {
      if (!stream.write(chunk)) await stream.drained();
    }
  }
  stream.end();
  const bytes = await received;
  const seconds = (performance.now() - started) / 1000;
  connection.close();
  return bytes / 1e6 / seconds;
}

function echo(stream: PeerStream): Promise<void> {
  return new Promise((resolve) => {
    let waiting = message.byteLength;
    stream.onBytes = (count) => {
      waiting -= count;
      if (waiting <= 0) resolve();
    };
    stream.write(message);
  });
}

/** Sends the next message in the callback that brings the answer to the last one. */
function roundTrips(stream: PeerStream, milliseconds: number): Promise<number[]> {
  return new Promise((resolve) => {
    const microseconds: number[] = [];
    const end = performance.now() + milliseconds;
    let waiting = message.byteLength;
    let sentAt = performance.now();
    stream.onBytes = (count) => {
      waiting -= count;
      if (waiting > 0) return;
      const now = performance.now();
      microseconds.push((now - sentAt) * 1000);
      if (now > end) return resolve(microseconds);
      waiting = message.byteLength;
      sentAt = now;
      stream.write(message);
    };
    stream.write(message);
  });
}

/** Messages a second with 64 of them on their way; each is a write of its own, on both sides. */
function pipeline(stream: PeerStream, milliseconds: number): Promise<number> {
  return new Promise((resolve) => {
    const started = performance.now();
    let bytes = 0;
    let answered = 0;
    let sent = 0;
    const sendOne = (): void => {
      sent++;
      stream.write(message);
    };
    stream.onBytes = (count) => {
      bytes += count;
      const whole = Math.floor(bytes / message.byteLength);
      bytes -= whole * message.byteLength;
      answered += whole;
      const elapsed = performance.now() - started;
      if (elapsed < milliseconds) for (let next = 0; next < whole; next++) sendOne();
      else if (answered === sent) resolve((answered / elapsed) * 1000);
    };
    for (let first = 0; first < messagesInFlight; first++) sendOne();
  });
}

async function withStream<T>(
  client: PeerClient,
  mode: Mode,
  use: (stream: PeerStream) => Promise<T>,
): Promise<T> {
  const connection = await client.dial();
  try {
    return await use(await connection.open(mode));
  } finally {
    connection.close();
  }
}

/** Repeats `operation` in `lanes` at once; answers how many a second. */
async function perSecond(
  operation: () => Promise<void>,
  lanes: number,
  milliseconds: number,
): Promise<number> {
  const started = performance.now();
  let done = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - started < milliseconds) {
      await operation();
      done++;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return (done / (performance.now() - started)) * 1000;
}

/** Dial, open a stream, 64 bytes there and back, drop the connection. */
async function connectOnce(client: PeerClient): Promise<void> {
  await withStream(client, 'echo', echo);
}

async function streamOnce(connection: PeerConnection): Promise<void> {
  const stream = await connection.open('echo');
  await echo(stream);
  stream.end();
}

async function streamsPerSecond({ client }: Bench, lanes: number): Promise<number> {
  const connection = await client.dial();
  await perSecond(() => streamOnce(connection), lanes, 50);
  const rate = await perSecond(() => streamOnce(connection), lanes, 500);
  connection.close();
  return rate;
}

const idleConnections = 1000;
/** Milliseconds without traffic until connections are called idle: half a second after a thousand handshakes V8's young generation is still as large as those made it. */
const idleFor = 10_000;

/** Kilobytes (1024) that one idle connection costs, on the side where it costs more. */
async function idle({ client, server }: Bench): Promise<Readonly<Record<string, number>>> {
  for (let warm = 0; warm < 10; warm++) await connectOnce(client);
  await delay(300);
  const before = [measureMemory(), await server.memory()] as const;
  const open: PeerConnection[] = [];
  const openOne = async (): Promise<void> => {
    const connection = await client.dial();
    await streamOnce(connection);
    open.push(connection);
  };
  while (open.length < idleConnections) await Promise.all(Array.from({ length: 10 }, openOne));
  await delay(idleFor);
  const after = [measureMemory(), await server.memory()] as const;
  const growth = (part: keyof Memory): number =>
    Math.max(after[0][part] - before[0][part], after[1][part] - before[1][part]) / 1024 / open.length;
  const figures = { 'idle-heap': growth('heap'), 'idle-rss': growth('resident') };
  for (const connection of open) connection.close();
  return figures;
}

/** One connection after another; who they are is the contestant's matter. */
function connects(name: string): Readonly<Record<string, Workload>> {
  return {
    [name]: async ({ client }) => ({ [name]: await perSecond(() => connectOnce(client), 1, 1000) }),
  };
}

/** By name; the figures' names are those of the rows. */
export const workloads: Readonly<Record<string, Workload>> = {
  bulk: async (bench) => ({ bulk: await pump(bench, 65_536, 1000) }),
  'ws-bulk': async (bench) => ({ 'ws-bulk': await pump(bench, 65_536, 1000) }),
  'write-1k': async (bench) => ({ 'write-1k': await pump(bench, 1024, 1000) }),
  rtt: ({ client }) =>
    withStream(client, 'echo', async (stream) => {
      await roundTrips(stream, 100);
      const microseconds = await roundTrips(stream, 600);
      return { 'rtt-64b-p50': percentile(microseconds, 0.5), 'rtt-64b-p99': percentile(microseconds, 0.99) };
    }),
  'pipelined-64b': ({ client }) =>
    withStream(client, 'pipelined', async (stream) => {
      await pipeline(stream, 100);
      return { 'pipelined-64b': await pipeline(stream, 600) };
    }),
  ...connects('connect-cold'),
  ...connects('connect-cold-portable'),
  ...connects('connect-warm'),
  ...connects('connect-warm-portable'),
  ...connects('connect-ik'),
  'streams-seq': async (bench) => ({ 'streams-seq': await streamsPerSecond(bench, 1) }),
  'streams-32': async (bench) => ({ 'streams-32': await streamsPerSecond(bench, 32) }),
  idle,
};
