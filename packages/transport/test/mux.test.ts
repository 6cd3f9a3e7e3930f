import { describe, expect, it } from 'vitest';
import { bindSignal } from '../src/mux/bind-signal.ts';
import type { Stream } from '../src/mux/stream.ts';
import { concat, createMuxPair } from './mux-pair.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Collected {
  readonly chunks: Uint8Array[];
  ended: boolean;
  error: Error | undefined;
}

function collect(stream: Stream): Collected {
  const collected: Collected = { chunks: [], ended: false, error: undefined };
  stream.receive({
    onData: (chunk) => collected.chunks.push(chunk),
    onEnd: () => {
      collected.ended = true;
    },
    onReset: (error) => {
      collected.error = error;
    },
  });
  return collected;
}

for (const version of [1, 2]) {
  describe(`multiplexer, version ${version}`, () => {
    it('sends name and first data in one record and one frame', async () => {
      const pair = createMuxPair({ version });
      pair.a.mux.openStream('/echo/1', text('hello'));
      await turn();
      expect(pair.a.outbox).toHaveLength(1);
      expect(pair.a.outbox[0]).toHaveLength(8 + 1 + 7 + 5);
      await pair.settle();
      expect(pair.b.accepted[0]?.protocol).toBe('/echo/1');
      expect(concat(collect(pair.b.accepted[0]!).chunks)).toEqual(text('hello'));
    });

    it('answers within the read: one record in, one record out', async () => {
      const pair = createMuxPair({ version });
      pair.b.onStream = (stream) => {
        stream.receive({
          onData: (chunk) => void stream.write(chunk),
          onEnd: () => void stream.closeWrite(),
          onReset: () => undefined,
        });
      };
      const stream = pair.a.mux.openStream('/echo/1', text('one'));
      const received = collect(stream);
      const closed = stream.closeWrite();
      await turn();
      expect(pair.a.outbox).toHaveLength(1);
      await pair.settle();
      await closed;
      expect(concat(received.chunks)).toEqual(text('one'));
      expect(received.ended).toBe(true);
      expect(pair.a.mux.streams.size).toBe(0);
      expect(pair.b.mux.streams.size).toBe(0);
    });

    it('puts two writes of 64 KiB into one record where so much was negotiated (NZ-WIRE-01 §2)', async () => {
      for (const [maxRecord, records] of [
        [132_096, 3],
        [66_560, 5],
      ] as const) {
        const pair = createMuxPair({ version, maxRecord });
        const stream = pair.a.mux.openStream('/bulk');
        const sent = Array.from({ length: 5 }, (_, i) => new Uint8Array(65_536).fill(i));
        for (const piece of sent) stream.write(piece);
        await turn();
        expect(pair.a.outbox).toHaveLength(records);
        expect(Math.max(...pair.a.outbox.map((record) => record.length))).toBeLessThanOrEqual(maxRecord);
        await pair.settle();
        const received = collect(pair.b.accepted[0]!);
        expect(Buffer.compare(concat(received.chunks), concat(sent))).toBe(0);
      }
    });

    it('says whether the bytes of a record are kept by anybody', async () => {
      const pair = createMuxPair({ version });
      const stream = pair.a.mux.openStream('/borrow');
      const other = pair.a.mux.openStream('/keep');
      await pair.settle();
      const borrowed: Uint8Array[] = [];
      const sink = {
        onData: (chunk: Uint8Array) => void borrowed.push(chunk.slice()),
        onEnd() {},
        onReset() {},
      };
      const [borrower, keeper] = pair.b.accepted;
      borrower!.receive({ ...sink, isBorrowing: true });
      const next = async (): Promise<boolean> => {
        await turn();
        return pair.b.mux.receive(pair.a.outbox.shift()!);
      };
      stream.write(text('a'));
      expect(await next()).toBe(false);
      stream.write(text('b'));
      other.write(text('in the queue'));
      expect(await next()).toBe(true);
      keeper!.receive(sink);
      other.write(text('handed over'));
      expect(await next()).toBe(true);
      borrower!.pause();
      stream.write(text('c'));
      expect(await next()).toBe(true);
      borrower!.resume();
      expect(borrowed.map((chunk) => new TextDecoder().decode(chunk)).join(' ')).toBe(
        'a b in the queue handed over c',
      );
    });

    it('never shows what a reset of this side cut off as a whole stream', async () => {
      const pair = createMuxPair({ version });
      const stream = pair.a.mux.openStream('/x', text('pay 1000'));
      void stream.closeWrite();
      await pair.settle();
      const accepted = pair.b.accepted[0]!;
      const received = collect(accepted);
      accepted.reset();
      expect([received.chunks.length, received.ended]).toEqual([1, true]);
      const other = pair.a.mux.openStream('/x', text('pay 1000'));
      void other.closeWrite();
      await pair.settle();
      pair.b.accepted[1]!.reset();
      const cut = collect(pair.b.accepted[1]!);
      expect([cut.chunks.length, cut.ended]).toEqual([0, false]);
      expect(cut.error).toMatchObject({ code: 'STREAM_RESET' });
      const last = pair.a.mux.openStream('/x', text('pay 1000'));
      void last.closeWrite();
      await pair.settle();
      const over = pair.b.accepted[2]!;
      void over.closeWrite();
      await pair.settle();
      over.reset();
      const late = collect(over);
      expect([late.chunks.length, late.ended]).toEqual([0, false]);
      expect(late.error).toMatchObject({ code: 'STREAM_RESET' });
    });

    it('keeps bytes in order over every size and both ways of writing', async () => {
      const pair = createMuxPair({ version });
      const stream = pair.a.mux.openStream('/x');
      const sent: Uint8Array[] = [];
      let value = 0;
      await pair.settle();
      const received = collect(pair.b.accepted[0]!);
      for (const size of [1, 10, 8191, 8192, 65_535, 65_536, 65_537, 300_000, 3_000_000, 5]) {
        const piece = new Uint8Array(size).map(() => (value = (value * 31 + 7) & 255));
        sent.push(piece);
        if (!stream.write(piece)) {
          await pair.settle();
          await stream.drained();
        }
      }
      await pair.settle();
      expect(Buffer.compare(concat(received.chunks), concat(sent))).toBe(0);
    });

    it('stops the writer when the reader stops, and goes on with it', async () => {
      const pair = createMuxPair({ version });
      const stream = pair.a.mux.openStream('/x');
      await pair.settle();
      const piece = new Uint8Array(65_536);
      let accepted = 0;
      while (stream.write(piece)) accepted += 1;
      await pair.settle();
      expect(accepted * 65_536).toBeLessThanOrEqual(1024 * 1024 + 65_536);
      expect(pair.b.mux.unreadBytes).toBe(1024 * 1024);
      let isDrained = false;
      void stream.drained().then(() => {
        isDrained = true;
      });
      await pair.settle();
      expect(isDrained).toBe(false);
      const iterator = pair.b.accepted[0]![Symbol.asyncIterator]();
      for (let i = 0; i < 9; i += 1) await iterator.next();
      await pair.settle();
      expect(isDrained).toBe(true);
    });

    it('is done with a large piece when drained resolves', async () => {
      const pair = createMuxPair({ version });
      const stream = pair.a.mux.openStream('/x');
      const piece = new Uint8Array(20_000).fill(1);
      stream.write(piece);
      await stream.drained();
      piece.fill(2);
      await pair.settle();
      const received = concat(collect(pair.b.accepted[0]!).chunks);
      expect(received.every((byte) => byte === 1)).toBe(true);
      expect(received).toHaveLength(20_000);
    });

    it('serves a sink that pauses and resumes within onData in order and without recursion', async () => {
      const pair = createMuxPair({ version });
      const stream = pair.a.mux.openStream('/x');
      for (let i = 0; i < 500; i += 1) {
        stream.write(new Uint8Array(1500).fill(i));
        await turn();
      }
      await pair.settle();
      const reader = pair.b.accepted[0]!;
      const seen: number[] = [];
      let depth = 0;
      let deepest = 0;
      reader.receive({
        onData(chunk) {
          depth += 1;
          deepest = Math.max(deepest, depth);
          reader.pause();
          for (const byte of chunk) if (byte !== seen.at(-1)) seen.push(byte);
          reader.resume();
          depth -= 1;
        },
        onEnd: () => undefined,
        onReset: () => undefined,
      });
      expect(deepest).toBe(1);
      expect(seen).toEqual(Array.from({ length: 500 }, (_, i) => i & 255));
    });

    it('gives waiting streams their turn: a bulk writer does not starve another', async () => {
      const pair = createMuxPair({ version });
      const bulk = pair.a.mux.openStream('/bulk');
      const small = pair.a.mux.openStream('/small');
      await pair.settle();
      pair.a.isWritable = false;
      bulk.write(new Uint8Array(900_000));
      bulk.write(new Uint8Array(50_000));
      small.write(text('urgent'));
      const received = collect(pair.b.accepted[1]!);
      await pair.settle();
      for (let records = 0; records < 4 && received.chunks.length === 0; records += 1) {
        pair.a.mux.onDrain();
        await pair.settle();
      }
      expect(concat(received.chunks)).toEqual(text('urgent'));
    });

    it('opens, uses and ends ten thousand streams, and nothing of them is left', async () => {
      const pair = createMuxPair({ version });
      pair.b.onStream = (stream) =>
        stream.receive({
          onData: (chunk) => void stream.write(chunk),
          onEnd: () => void stream.closeWrite(),
          onReset: () => undefined,
        });
      const ended: Collected[] = [];
      for (let i = 0; i < 10_000; i += 1) {
        const stream = pair.a.mux.openStream('/echo/1', text(String(i)));
        ended.push(collect(stream));
        void stream.closeWrite();
        if (i % 1000 === 999) await pair.settle();
      }
      expect(ended.every(({ ended: isEnded }) => isEnded)).toBe(true);
      expect(pair.a.mux.streams.size + pair.b.mux.streams.size).toBe(0);
    });

    it('ends a stream whose signal aborts, on both sides', async () => {
      const pair = createMuxPair({ version });
      const stream = pair.a.mux.openStream('/x');
      const controller = new AbortController();
      bindSignal(stream, controller.signal);
      await pair.settle();
      const far = collect(pair.b.accepted[0]!);
      const near = collect(stream);
      controller.abort(new Error('enough'));
      await pair.settle();
      expect(near.error?.message).toBe('enough');
      expect(far.error).toMatchObject({ code: 'STREAM_RESET', resetCode: 0 });
    });

    it('gives every wait its own promise: a drain that is over does not let the next writer through', async () => {
      const pair = createMuxPair({ version });
      const stream = pair.a.mux.openStream('/x');
      await pair.settle();
      const piece = new Uint8Array(65_536);
      for (let round = 0; round < 3; round += 1) {
        while (stream.write(piece));
        let isDrained = false;
        const drained = stream.drained().then(() => {
          isDrained = true;
        });
        await pair.settle();
        expect(isDrained).toBe(false);
        pair.b.accepted[0]!.receive({
          onData: () => undefined,
          onEnd: () => undefined,
          onReset: () => undefined,
        });
        pair.b.accepted[0]!.resume();
        await pair.settle();
        await drained;
        pair.b.accepted[0]!.pause();
      }
    });
  });
}
