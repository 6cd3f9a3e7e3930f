import { describe, expect, it } from 'vitest';
import { FrameType } from '../src/mux/frames.ts';
import { concat, createMuxEnd, type MuxEnd, type MuxPairOptions } from './mux-pair.ts';
import { data, fin, finAck, frame, goAway, open, ping, reset, windowFrame } from './raw-frames.ts';

const MIB = 1024 * 1024;

/** A responder that a hostile initiator talks to. */
function victim(options: MuxPairOptions = {}): MuxEnd & { feed(...frames: Uint8Array[]): void } {
  const end = createMuxEnd(false, () => 1000, options);
  return Object.assign(end, {
    feed(...frames: Uint8Array[]) {
      if (end.failure !== undefined) return;
      end.mux.cork();
      try {
        end.mux.receive(concat(frames));
      } catch (error) {
        end.failure = error;
        end.mux.fail(error as Error);
      }
      end.mux.uncork();
    },
  });
}

const filler = (size: number): Uint8Array => new Uint8Array(size).fill(5);

describe('what a hostile peer gets', () => {
  for (const [name, record] of [
    ['eight bytes of zero', new Uint8Array(8)],
    ['a header that is cut off', Uint8Array.of(2, 0, 0)],
    ['a frame that is longer than its record', frame(FrameType.data, 1, filler(4)).subarray(0, 11)],
    ['a length of 2^24 - 1', Uint8Array.of(2, 255, 255, 255, 0, 0, 0, 1)],
    ['an unknown type that may not be skipped', frame(0x0a, 0)],
    ['OPEN without a name', frame(FrameType.open, 1)],
    ['OPEN with an empty name', frame(FrameType.open, 1, [0])],
    ['OPEN with a name longer than the frame', frame(FrameType.open, 1, [9, 65])],
    ['OPEN with a name that is no text', frame(FrameType.open, 1, [1, 200])],
    ['OPEN with a number of the other side', open(2)],
    ['OPEN with a number that skips one', open(3)],
    ['OPEN of the connection itself', open(0)],
    ['an empty DATA frame', concat([open(1), data(1, [])])],
    ['DATA for a stream that never was', data(1, [1])],
    ['DATA for a stream of ours that never was', data(2, [1])],
    ['DATA for the connection', data(0, [1])],
    ['DATA after FIN', concat([open(1), fin(1), data(1, [1])])],
    ['FIN twice', concat([open(1), fin(1), fin(1)])],
    ['FIN for a stream that never was', fin(7)],
    ['FIN-ACK without a FIN', concat([open(1), finAck(1)])],
    ['FIN with a payload', concat([open(1), frame(FrameType.fin, 1, [1])])],
    ['RESET of four bytes too few', concat([open(1), frame(FrameType.reset, 1)])],
    ['WINDOW of nothing', concat([open(1), windowFrame(1, 0)])],
    ['WINDOW of three bytes', concat([open(1), frame(FrameType.window, 1, [1, 2, 3])])],
    ['PING on a stream', frame(FrameType.ping, 1, new Uint8Array(8))],
    ['PING of seven bytes', frame(FrameType.ping, 0, new Uint8Array(7))],
    ['GOAWAY that names a stream never opened', goAway(4)],
  ] as const) {
    it(`${name}: PROTOCOL_ERROR`, () => {
      const end = victim();
      end.feed(record);
      expect(end.failure).toMatchObject({ code: 'PROTOCOL_ERROR', resetCode: 4 });
    });
  }

  it('skips frames of types that it may not know', () => {
    const end = victim();
    end.feed(frame(0x80, 77, filler(100)), open(1), frame(0xff, 0));
    expect(end.failure).toBeUndefined();
    expect(end.accepted).toHaveLength(1);
  });

  it('10^6 streams: serves as many as its limit, refuses some, then ends the connection', () => {
    const end = victim({ limits: { maxInboundStreams: 100 } });
    let id = 1;
    for (; id < 2_000_000 && end.failure === undefined; id += 200) {
      end.feed(...Array.from({ length: 100 }, (_, i) => open(id + 2 * i)));
    }
    expect(end.failure).toMatchObject({ code: 'FLOOD' });
    expect(end.accepted).toHaveLength(100);
    expect(id).toBeLessThan(3000);
  });

  it('streams that are opened and reset for ever: FLOOD', () => {
    const end = victim({ limits: { maxInboundStreams: 100 } });
    let id = 1;
    for (; id < 2_000_000 && end.failure === undefined; id += 2) end.feed(open(id), reset(id));
    expect(end.failure).toMatchObject({ code: 'FLOOD' });
    expect(end.accepted.length).toBeLessThan(2000);
    expect(end.mux.streams.size).toBe(0);
  });

  it('pings for ever: answers some thousand, then FLOOD', () => {
    const end = victim();
    let pings = 0;
    for (; pings < 1_000_000 && end.failure === undefined; pings += 1) end.feed(ping(pings));
    expect(end.failure).toMatchObject({ code: 'FLOOD' });
    expect(pings).toBeLessThan(10_000);
  });

  it('says GOAWAY for ever, each time at the cost of a look at all streams: FLOOD', () => {
    const end = victim();
    end.feed(...Array.from({ length: 1000 }, (_, i) => open(1 + 2 * i)));
    end.feed(goAway(0), goAway(0, 4));
    expect(end.failure).toBeUndefined();
    end.feed(...Array.from({ length: 1000 }, () => goAway(0)));
    expect(end.failure).toMatchObject({ code: 'FLOOD' });
    expect(end.goAways.length).toBeLessThan(10);
  });

  it('a window that overflows: FLOW_CONTROL', () => {
    for (const id of [0, 1]) {
      const end = victim();
      end.feed(open(1), windowFrame(id, 0x7fff_ffff));
      expect(end.failure).toMatchObject({ code: 'FLOW_CONTROL' });
      const wrapped = victim();
      wrapped.feed(open(1), windowFrame(id, 0xffff_ffff));
      expect(wrapped.failure).toMatchObject({ code: 'FLOW_CONTROL' });
    }
  });

  it('more data than the window of the stream: FLOW_CONTROL, and never more than the window in memory', () => {
    const end = victim();
    end.feed(open(1));
    for (let i = 0; i < 16; i += 1) end.feed(data(1, filler(65_536)));
    expect(end.failure).toBeUndefined();
    expect(end.mux.unreadBytes).toBe(MIB);
    end.feed(data(1, [1]));
    expect(end.failure).toMatchObject({ code: 'FLOW_CONTROL' });
  });

  it('more data than the window of the connection: FLOW_CONTROL, whatever the number of streams', () => {
    const end = victim({ limits: { maxUnreadBytes: 4 * MIB } });
    let sent = 0;
    for (let id = 1; id < 40 && end.failure === undefined; id += 2) {
      end.feed(open(id));
      for (let i = 0; i < 16 && end.failure === undefined; i += 1) {
        end.feed(data(id, filler(65_536)));
        sent += 65_536;
      }
    }
    expect(end.failure).toMatchObject({ code: 'FLOW_CONTROL' });
    expect(sent).toBeLessThanOrEqual(4 * MIB + 65_536);
  });

  it('version 1, which has no window of the connection: the stream that goes too far is reset', () => {
    const end = victim({ version: 1, limits: { maxUnreadBytes: 2 * MIB } });
    for (let id = 1; id < 20; id += 2) {
      end.feed(open(id));
      for (let i = 0; i < 16; i += 1) end.feed(data(id, filler(65_536)));
    }
    expect(end.failure).toBeUndefined();
    expect(end.mux.unreadBytes).toBeLessThanOrEqual(2 * MIB);
  });

  it('10^6 single bytes that nobody reads take about twice their number of memory', () => {
    const end = victim();
    end.feed(open(1));
    const before = process.memoryUsage().arrayBuffers;
    // A byte beside 64 KiB for another stream: keeping a view would keep the record.
    for (let i = 0; i < 1000; i += 1) end.feed(...Array.from({ length: 1000 }, () => data(1, [1])));
    expect(end.failure).toBeUndefined();
    expect(end.mux.unreadBytes).toBe(1_000_000);
    const reader = end.accepted[0]!;
    let read = 0;
    let chunks = 0;
    reader.receive({
      onData: (chunk) => {
        read += chunk.length;
        chunks += 1;
      },
      onEnd: () => undefined,
      onReset: () => undefined,
    });
    expect(read).toBe(1_000_000);
    expect(chunks).toBeLessThan(100);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * MIB);
  });

  it('data on a closed stream: what could be on its way is dropped, more is a violation', () => {
    const end = victim();
    end.feed(open(1));
    end.accepted[0]!.reset();
    for (let i = 0; i < 16; i += 1) end.feed(data(1, filler(65_536)));
    expect(end.failure).toBeUndefined();
    end.feed(data(1, [1]));
    expect(end.failure).toMatchObject({ code: 'PROTOCOL_ERROR' });
    const orderly = victim();
    orderly.feed(open(1), fin(1));
    void orderly.accepted[0]!.closeWrite();
    orderly.feed(finAck(1));
    expect(orderly.mux.streams.size).toBe(0);
    orderly.feed(data(1, [1]));
    expect(orderly.failure).toMatchObject({ code: 'PROTOCOL_ERROR' });
  });

  it('answers that it does not read: FLOOD instead of memory', () => {
    const end = victim({ limits: { maxInboundStreams: 1_000_000 } });
    end.isWritable = false;
    end.onStream = (stream) => stream.reset();
    end.feed(ping());
    let id = 1;
    for (; id < 2_000_000 && end.failure === undefined; id += 2000) {
      end.feed(...Array.from({ length: 1000 }, (_, i) => open(id + 2 * i)));
    }
    expect(end.failure).toMatchObject({ code: 'FLOOD' });
    expect(id).toBeLessThan(400_000);
  });

  it('a handler that throws costs its stream, not the connection', () => {
    const end = victim();
    end.onStream = (stream) => {
      stream.receive({
        onData: () => {
          throw new Error('a fault of the application');
        },
        onEnd: () => undefined,
        onReset: () => undefined,
      });
    };
    end.feed(open(1, 'x', [1]), open(3, 'x'));
    expect(end.failure).toBeUndefined();
    expect(end.mux.streams.size).toBe(1);
  });
});
