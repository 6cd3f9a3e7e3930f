import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteQueue } from '../src/mux/byte-queue.ts';
import type { Stream } from '../src/mux/stream.ts';
import { connectPeers, tcpPair } from './connected.ts';
import { concat, createMuxPair } from './mux-pair.ts';
import { until } from './secure-peer.ts';

/** Bytes that tell where they belong. */
const numbered = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i % 251);

/** A sink that takes `sizes` in turn, and is paused whenever it leaves something. */
function takeInParts(stream: Stream, sizes: readonly number[], isBorrowing: boolean) {
  const taken: Uint8Array[] = [];
  const state = { taken, isEnded: false, error: undefined as Error | undefined, calls: 0 };
  let untaken = 0;
  stream.receive({
    isBorrowing,
    onData: (chunk) => {
      const size = Math.min(chunk.length, sizes[state.calls++ % sizes.length]!);
      taken.push(new Uint8Array(chunk.subarray(0, size)));
      untaken = chunk.length - size;
      if (untaken > 0) stream.pause();
    },
    untaken: () => untaken,
    onEnd: () => {
      state.isEnded = true;
    },
    onReset: (error) => {
      state.error = error;
    },
  });
  return state;
}

describe('what a sink leaves of a chunk', () => {
  it('comes again, before what follows and before the end, whatever the sizes', async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 8 });
    const taken = sizes.filter((parts) => parts.some((size) => size > 0));
    await fc.assert(
      fc.asyncProperty(sizes, taken, fc.boolean(), async (written, parts, isBorrowing) => {
        const pair = createMuxPair();
        const stream = pair.a.mux.openStream('/x');
        await pair.settle();
        const accepted = pair.b.accepted[0]!;
        const sink = takeInParts(accepted, parts, isBorrowing);
        const all = numbered(written.reduce((sum, size) => sum + size, 0));
        let at = 0;
        for (const size of written) {
          if (size > 0) stream.write(all.subarray(at, at + size));
          at += size;
          await pair.settle();
          accepted.resume();
        }
        void stream.closeWrite();
        await pair.settle();
        while (!sink.isEnded) accepted.resume();
        expect(Buffer.compare(concat(sink.taken), all)).toBe(0);
        expect(pair.b.mux.unreadBytes).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it('is copied out of memory that was only borrowed, and unread until it is taken', async () => {
    await using peers = await connectPeers({
      bytes: await tcpPair(),
      far: { onStream: (stream) => void streams.push(stream) },
    });
    const streams: Stream[] = [];
    const stream = await peers.near.openStream('/x');
    await until(() => streams.length === 1);
    const accepted = streams[0]!;
    // More than half of a record is left: what is put back is not copied for being small.
    const sink = takeInParts(accepted, [20_000], true);
    const all = numbered(3 * 65_536);
    for (let at = 0; at < all.length; at += 65_536) {
      // Each in a record of its own: the memory of the first is given back, since nobody keeps any of it.
      stream.write(all.subarray(at, at + 65_536));
      await until(() => peers.far.stats.unreadBytes === at + 65_536 - 20_000);
    }
    while (peers.far.stats.unreadBytes > 0) accepted.resume();
    expect(Buffer.compare(concat(sink.taken), all)).toBe(0);
  });

  it('gives no credit back: a sink that takes nothing stops the writer at the window', async () => {
    const pair = createMuxPair();
    const stream = pair.a.mux.openStream('/x');
    await pair.settle();
    const sink = takeInParts(pair.b.accepted[0]!, [0], true);
    for (let i = 0; i < 64; i++) stream.write(new Uint8Array(65_536));
    await pair.settle();
    const window = 4 * 2 ** 20 - stream.queuedBytes;
    expect(pair.b.mux.unreadBytes).toBe(window);
    for (let i = 0; i < 10; i++) pair.b.accepted[0]!.resume();
    await pair.settle();
    expect(stream.queuedBytes).toBe(4 * 2 ** 20 - window);
    expect(sink.calls).toBe(11);
  });

  it('is dropped with a stream that is reset, by the sink itself too', async () => {
    for (const isOwn of [true, false]) {
      const pair = createMuxPair();
      const stream = pair.a.mux.openStream('/x');
      await pair.settle();
      const accepted = pair.b.accepted[0]!;
      accepted.receive({
        onData: () => {
          accepted.pause();
          if (isOwn) accepted.reset();
        },
        untaken: () => 50,
        onEnd: () => undefined,
        onReset: () => undefined,
      });
      stream.write(new Uint8Array(100));
      await pair.settle();
      if (!isOwn) stream.reset();
      await pair.settle();
      expect(pair.b.mux.unreadBytes).toBe(0);
    }
  });

  it('is not handed over any more when the sink has reset the stream behind the other side, and no end follows', async () => {
    const pair = createMuxPair();
    const stream = pair.a.mux.openStream('/x');
    await pair.settle();
    const accepted = pair.b.accepted[0]!;
    const told: string[] = [];
    accepted.pause();
    accepted.receive({
      onData: (chunk) => {
        told.push(`data ${chunk.length}`);
        accepted.pause();
        accepted.reset();
      },
      untaken: () => 50,
      onEnd: () => void told.push('end'),
      onAbandoned: () => void told.push('abandoned'),
      onReset: () => void told.push('reset'),
    });
    stream.write(new Uint8Array(100));
    stream.closeWrite().catch(() => undefined);
    await pair.settle();
    stream.reset();
    await pair.settle();
    for (let i = 0; i < 2; i++) accepted.resume();
    expect(told).toEqual(['abandoned', 'data 100', 'reset']);
    expect(pair.b.mux.unreadBytes).toBe(0);
  });

  it.each([
    ['more than there was', 200, true],
    ['less than nothing', -1, true],
    ['no number', Number.NaN, true],
    ['all of it, without a pause', 100, false],
  ])('is an error of the sink when it is %s, and ends its stream alone', async (_, left, isPausing) => {
    const pair = createMuxPair();
    const stream = pair.a.mux.openStream('/x');
    await pair.settle();
    const accepted = pair.b.accepted[0]!;
    let error: Error | undefined;
    const sink = {
      onData: () => void (isPausing && accepted.pause()),
      untaken: () => left,
      onEnd: () => undefined,
      onReset: (reason: Error) => {
        error = reason;
      },
    };
    accepted.receive(sink);
    stream.write(new Uint8Array(100));
    await pair.settle();
    expect(error).toMatchObject({ code: 'STREAM_RESET', resetCode: 3 });
    expect([pair.b.failure, pair.b.mux.unreadBytes]).toEqual([undefined, 0]);
    // What waited while nobody read goes the same way.
    const other = pair.a.mux.openStream('/x');
    other.write(new Uint8Array(100));
    await pair.settle();
    error = undefined;
    pair.b.accepted[1]!.receive({ ...sink, onData: () => void (isPausing && pair.b.accepted[1]!.pause()) });
    expect(error).toMatchObject({ code: 'STREAM_RESET', resetCode: 3 });
    expect([pair.b.failure, pair.b.mux.unreadBytes]).toEqual([undefined, 0]);
  });

  it('is an error of the sink that throws when asked, and ends its stream alone', async () => {
    const pair = createMuxPair();
    const stream = pair.a.mux.openStream('/x');
    await pair.settle();
    let error: Error | undefined;
    pair.b.accepted[0]!.receive({
      onData: () => undefined,
      untaken: () => {
        throw new Error('mine');
      },
      onEnd: () => undefined,
      onReset: (reason) => {
        error = reason;
      },
    });
    stream.write(new Uint8Array(100));
    await pair.settle();
    expect(error).toMatchObject({ code: 'STREAM_RESET' });
    expect(pair.b.failure).toBeUndefined();
  });
});

it('a queue of bytes gives back what was put back first, and keeps no large buffer for a small rest', () => {
  const queue = new ByteQueue();
  for (let i = 0; i < 600; i++) queue.push(numbered(2000));
  const taken: Uint8Array[] = [];
  for (let chunk = queue.shift(); chunk !== undefined; chunk = queue.shift()) {
    taken.push(chunk.subarray(0, 700));
    if (chunk.length <= 700) continue;
    const before = queue.length;
    queue.unshift(chunk.subarray(700));
    expect(queue.length).toBe(before + chunk.length - 700);
  }
  const expected = concat(Array.from({ length: 600 }, () => numbered(2000)));
  expect(Buffer.compare(concat(taken), expected)).toBe(0);
  queue.unshift(new Uint8Array(65_536).subarray(65_500));
  expect(queue.shift()?.buffer.byteLength).toBe(36);
});
