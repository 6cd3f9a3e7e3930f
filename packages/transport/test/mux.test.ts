import { describe, expect, it } from 'vitest';
import type { Stream } from '../src/stream.ts';
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
      expect(pair.a.mux.streamCount).toBe(0);
      expect(pair.b.mux.streamCount).toBe(0);
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
  });
}
