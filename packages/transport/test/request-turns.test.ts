import { describe, expect, it } from 'vitest';
import { encodeMessageHeader, MessageKind } from '../src/messages/message-frames.ts';
import { receiveMessages } from '../src/messages/messages.ts';
import { serveRequests } from '../src/messages/request-server.ts';
import { connectPeers } from './connected.ts';
import { until } from './secure-peer.ts';

type Kind = (typeof MessageKind)[keyof typeof MessageKind];

/** Empty requests in one piece, and what follows them. */
function requests(count: number, others: readonly (readonly [Kind, number])[] = []): Uint8Array {
  const frames = [
    ...Array.from({ length: count }, (_, i) => [MessageKind.request, i + 1] as const),
    ...others,
  ];
  const bytes = new Uint8Array(8 * frames.length);
  for (const [i, [kind, id]] of frames.entries()) {
    const header = { kind, id, length: 0, hasMore: false, isCompressed: false };
    encodeMessageHeader(bytes.subarray(8 * i), header);
  }
  return bytes;
}

it('lets others have their turn while the requests of one frame are worked on, all of them and in order', async () => {
  const handled: number[] = [];
  let turns = 0;
  await using peers = await connectPeers({
    far: {
      onStream: (stream) =>
        serveRequests(stream, () => {
          const started = performance.now();
          while (performance.now() - started < 0.05);
          handled.push(turns);
          return new Uint8Array(0);
        }),
    },
  });
  const stream = await peers.near.openStream('/test/1');
  let answered = 0;
  const sink = { onEnd: () => undefined, onReset: () => undefined };
  stream.receive({ ...sink, onData: (chunk) => (answered += chunk.length / 8) });
  const turn = (): void => {
    turns++;
    if (answered < 2000) setImmediate(turn);
  };
  stream.write(requests(2000));
  turn();
  await until(() => answered === 2000);
  // A hundred milliseconds of work.
  expect(handled).toHaveLength(2000);
  expect(handled.at(-1)! - handled[0]!).toBeGreaterThan(40);
});

it('never begins a request that was given up while it waited, and gives its memory back', async () => {
  const done: (() => void)[] = [];
  await using peers = await connectPeers({
    far: {
      onStream: (stream) =>
        serveRequests(
          stream,
          async () => {
            await new Promise<void>((resolve) => done.push(resolve));
            return new Uint8Array(0);
          },
          { maxPending: 2 },
        ),
    },
  });
  const memory = peers.far.messageMemory;
  const stream = await peers.near.openStream('/test/1');
  let answered = 0;
  const sink = { onEnd: () => undefined, onReset: () => undefined };
  stream.receive({ ...sink, onData: (chunk) => (answered += chunk.length / 8) });
  stream.write(requests(4, [[MessageKind.cancel, 3]]));
  await until(() => done.length === 2);
  expect(memory.used).toBe(4 * 1024);
  for (const resolve of done.splice(0)) resolve();
  await until(() => answered === 2 && done.length === 1);
  for (const resolve of done.splice(0)) resolve();
  await until(() => answered === 3 && memory.used === 0);
  expect(done).toHaveLength(0);
});

it('reads the requests of full frames in turns, and all streams of a connection have one turn together', async () => {
  await using peers = await connectPeers({
    far: {
      onStream: (stream) =>
        serveRequests(
          stream,
          () => {
            const started = performance.now();
            while (performance.now() - started < 0.05);
            return new Promise(() => undefined);
          },
          { maxPending: 100_000 },
        ),
    },
  });
  const memory = peers.far.messageMemory;
  const [count, each] = [32, 64];
  const most = count * each;
  const seen: number[] = [];
  const look = (): void => {
    seen.push(memory.used / 1024);
    if (seen.at(-1)! < most) setImmediate(look);
  };
  const streams = await Promise.all(Array.from({ length: count }, () => peers.near.openStream('/test/1')));
  for (const stream of streams) stream.write(requests(each));
  look();
  await until(() => seen.at(-1) === most);
  // A turn of eight for the first, and four on each of the others: that is where the clock is looked at. With a turn for each it were 256.
  expect(Math.max(...seen.map((read, i) => read - (seen[i - 1] ?? 0)))).toBeLessThan(180);
});

it('hears of a request that is given up while as many as allowed are worked on, and not of more requests', async () => {
  const begun: number[] = [];
  let aborted = 0;
  await using peers = await connectPeers({
    far: {
      onStream: (stream) =>
        serveRequests(
          stream,
          (_body, { signal }) =>
            new Promise((resolve) => {
              begun.push(begun.length);
              signal.addEventListener('abort', () => {
                aborted++;
                resolve(new Uint8Array(0));
              });
            }),
          { maxPending: 2 },
        ),
    },
  });
  const stream = await peers.near.openStream('/test/1');
  stream.write(requests(2));
  await until(() => begun.length === 2);
  stream.write(requests(0, [[MessageKind.cancel, 1]]));
  await until(() => begun.length === 2 && aborted === 1);
  // One is worked on and one may begin; two wait, and the rest is not read: it is the asker who has to wait.
  stream.write(
    requests(
      0,
      Array.from({ length: 50 }, (_, i) => [MessageKind.request, 3 + i] as const),
    ),
  );
  await until(() => begun.length === 3 && peers.far.stats.unreadBytes > 0);
  expect(peers.far.messageMemory.used).toBe(4 * 1024);
  expect(peers.far.stats.unreadBytes).toBe(8 * (50 - 3) - 8);
});

it('cuts few messages at once out of what has come: the rest waits as the bytes that it is', async () => {
  const count = 8000;
  let read = 0;
  let error: unknown;
  await using peers = await connectPeers({
    far: {
      onStream: (stream) => {
        void (async () => {
          await until(() => stream.connection.stats.unreadBytes > 8 * count);
          for await (const message of receiveMessages(stream)) {
            expect(await message.bytes({ maxLength: 1 })).toHaveLength(0);
            read++;
          }
        })().catch((reason: unknown) => {
          error = reason;
        });
      },
    },
  });
  const stream = await peers.near.openStream('/test/1');
  const messages = Array.from({ length: count }, () => [MessageKind.message, 0] as const);
  // What is malformed comes in the same chunk as whole messages: all but the last few are read before it is seen.
  stream.write(Buffer.concat([requests(0, messages), new Uint8Array(8).fill(255)]));
  await until(() => error !== undefined);
  expect(error).toMatchObject({ code: 'MALFORMED' });
  expect(read).toBeGreaterThanOrEqual(count - 16);
});

it('lets others have their turn while very many messages that wait are read, all of them and in order', async () => {
  const count = 50_000;
  let [read, turns, over] = [0, 0, false];
  await using peers = await connectPeers({
    far: {
      onStream: (stream) => {
        void (async () => {
          // All of it waits before the first one is read.
          await until(() => stream.connection.stats.unreadBytes >= 9 * count);
          const turn = (): void => {
            turns++;
            if (!over) setImmediate(turn);
          };
          turn();
          for await (const message of receiveMessages(stream)) {
            const body = await message.bytes({ maxLength: 1 });
            if (body[0] === read % 251) read++;
          }
          over = true;
        })();
      },
    },
  });
  const stream = await peers.near.openStream('/test/1');
  const bytes = new Uint8Array(9 * count);
  for (let i = 0; i < count; i++) {
    const header = { kind: MessageKind.message, id: 0, length: 1, hasMore: false, isCompressed: false };
    encodeMessageHeader(bytes.subarray(9 * i), header);
    bytes[9 * i + 8] = i % 251;
  }
  stream.write(bytes);
  await stream.closeWrite();
  await until(() => over);
  expect(read).toBe(count);
  expect(turns).toBeGreaterThan(40);
});

describe('requests of a stream that has ended', () => {
  it('by a reset behind its end: none begins any more, and those at work are told at once', async () => {
    const signals: AbortSignal[] = [];
    const done: (() => void)[] = [];
    await using peers = await connectPeers({
      far: {
        onStream: (stream) =>
          serveRequests(
            stream,
            (_body, { signal }) => {
              signals.push(signal);
              return new Promise((resolve) => done.push(() => resolve(new Uint8Array(0))));
            },
            { maxPending: 4 },
          ),
      },
    });
    const stream = await peers.near.openStream('/test/1');
    stream.receive({ onData: () => undefined, onEnd: () => undefined, onReset: () => undefined });
    stream.write(requests(500));
    stream.closeWrite().catch(() => undefined);
    await until(() => signals.length === 4 && peers.far.stats.unreadBytes > 0);
    stream.reset();
    await until(() => signals.every((signal) => signal.aborted));
    for (const resolve of done.splice(0)) resolve();
    await peers.near.ping();
    expect([signals.length, peers.far.stats.unreadBytes]).toEqual([4, 0]);
    await until(() => peers.far.messageMemory.used === 0);
  });

  it('by its handler: none of the same frame begins any more', async () => {
    let calls = 0;
    await using peers = await connectPeers({
      far: {
        onStream: (stream) =>
          serveRequests(stream, () => {
            if (++calls === 3) stream.reset();
            return new Uint8Array(0);
          }),
      },
    });
    const stream = await peers.near.openStream('/test/1');
    const ended = new Promise((resolve) =>
      stream.receive({ onData: () => undefined, onEnd: () => undefined, onReset: resolve }),
    );
    stream.write(requests(500));
    await ended;
    await peers.near.ping();
    expect(calls).toBe(3);
    await until(() => peers.far.messageMemory.used === 0);
  });
});
