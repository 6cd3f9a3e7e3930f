import { describe, expect, it } from 'vitest';
import { createDatagramChannel, createStreamChannel, type StreamChannel } from '../../src/channel.ts';
import { NOW, primitives, shakeHands } from '../handshake/peers.ts';
import { createChannels, join, Recorder, settle } from './channels.ts';

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 7);
const refused = expect.objectContaining({ code: 'INVALID_RECORD' });
const closed = expect.objectContaining({ code: 'CLOSED' });

const small = bytes(100);
const large = bytes(30_000);

/** The channel refuses these bytes, passes on nothing of them, and is dead afterwards. */
function expectRefusal(channel: StreamChannel, wire: Uint8Array): void {
  const sink = new Recorder();
  expect(() => channel.receive(wire, sink)).toThrow(refused);
  expect(sink.records).toEqual([]);
  expect(sink.closes).toBe(0);
  expect(() => channel.receive(wire, sink)).toThrow(closed);
  expect(() => channel.seal([small])).toThrow(closed);
  expect(channel.takeControl()).toBeUndefined();
  expect(channel.nextTimeout).toBeUndefined();
}

describe.each([
  ['small', small],
  ['large', large],
])('a %s stream record', (_name, data) => {
  it('is refused when it is replayed (NZ-CHANNEL-01 §5.3)', () => {
    const [a, b] = createChannels();
    const wire = join(a.seal([data]));
    b.receive(wire, new Recorder());
    expectRefusal(b, wire);
  });

  it('is refused when it comes before its predecessor (NZ-CHANNEL-01 §5.3)', () => {
    const [a, b] = createChannels();
    a.seal([data]);
    expectRefusal(b, join(a.seal([data])));
  });

  it('is refused when it is sent back to its sender (NZ-CHANNEL-01 §5.3: reflection, cross-direction)', () => {
    const [a] = createChannels();
    expectRefusal(a, join(a.seal([data])));
  });

  it('is refused under the keys of another session between the same peers (NZ-CHANNEL-01 §5.3)', () => {
    const [a] = createChannels();
    const [, b] = createChannels();
    expectRefusal(b, join(a.seal([data])));
  });

  it('is refused in another epoch, before and after a key update (NZ-CHANNEL-01 §6.2)', () => {
    const [a, b] = createChannels({}, { updateRecords: 1 });
    const first = join(a.seal([data]));
    const second = join(a.seal([data]));
    b.receive(first, new Recorder());
    b.receive(second, new Recorder());
    expectRefusal(b, first);
    const [c, d] = createChannels({}, { updateRecords: 1 });
    c.seal([data]);
    expectRefusal(d, join(c.seal([data])));
  });

  it('is refused in another generation, after a Diffie-Hellman step (NZ-CHANNEL-01 §6.3)', () => {
    const [a, b] = createChannels({}, { ratchetBytes: data.length });
    const first = join(a.seal([data]));
    b.receive(first, new Recorder());
    settle(a, b);
    expect(b.counters.ratchets).toBe(1);
    expectRefusal(b, first);
  });

  it('is refused when any byte is changed, whole or in pieces (NZ-CHANNEL-01 §5.3)', () => {
    for (const at of [4, 5, 50, data.length, data.length + 4 + 16]) {
      for (const slice of [1_000_000, 7]) {
        const [a, b] = createChannels();
        const wire = join(a.seal([data]));
        wire[at]! ^= 0x80;
        const sink = new Recorder();
        expect(() => {
          for (let i = 0; i < wire.length; i += slice) b.receive(wire.subarray(i, i + slice), sink);
        }).toThrow(refused);
        expect(sink.records).toEqual([]);
      }
    }
  });

  it('is refused when its length is changed: the length is authenticated (NZ-CHANNEL-01 §5.1)', () => {
    const [a, b] = createChannels();
    const wire = join(a.seal([data]));
    const shorter = wire.slice(0, -1);
    new DataView(shorter.buffer).setUint32(0, shorter.length - 4);
    expectRefusal(b, shorter);
  });

  it('is not passed on when the stream is truncated within it (NZ-CHANNEL-01 §5.4)', () => {
    const [a, b] = createChannels();
    const sink = new Recorder();
    b.receive(join(a.seal([data])).slice(0, -1), sink);
    expect(() => b.receiveEnd()).toThrow(expect.objectContaining({ code: 'TRUNCATED' }));
    expect(sink.records).toEqual([]);
    expect(() => b.receive(small, sink)).toThrow(closed);
  });
});

describe('lengths (NZ-CHANNEL-01 §5.1)', () => {
  it.each([0, 1, 16, 66_578, 0xff_ff_ff, 0xff_ff_ff_ff])(
    'refuses a claimed length of %i at its last byte',
    (length) => {
      const [, b] = createChannels();
      const header = new Uint8Array(4);
      new DataView(header.buffer).setUint32(0, length);
      b.receive(header.subarray(0, 3), new Recorder());
      expectRefusal(b, header.subarray(3));
    },
  );

  it('reserves no memory for what was only announced', () => {
    const [, b] = createChannels();
    const header = Uint8Array.of(0, 1, 4, 17, 1);
    const channels = Array.from({ length: 200 }, () => createChannels()[1]);
    const before = process.memoryUsage().arrayBuffers;
    for (const channel of [b, ...channels]) channel.receive(header, new Recorder());
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * 4_096);
  });

  it('refuses to seal more than was agreed on, and goes on', () => {
    const [a, b] = createChannels({ initiator: { maxRecordSize: 5_000 } });
    expect(a.maxPlaintext).toBe(5_000);
    expect(() => a.seal([bytes(5_001)])).toThrow(RangeError);
    const sink = new Recorder();
    b.receive(join(a.seal([bytes(5_000)])), sink);
    expect(sink.records[0]).toHaveLength(5_000);
  });
});

describe('counters (NZ-CHANNEL-01 §6.1)', () => {
  it('never seals beyond the hard limit of a key', () => {
    const [a] = createChannels({}, { hardRecords: 3 });
    for (let i = 0; i < 3; i++) a.seal([small]);
    expect(() => a.seal([small])).toThrow(expect.objectContaining({ code: 'LIMIT_REACHED' }));
  });

  it('closes at the hard limit too, though it cannot say so', () => {
    const [a] = createChannels({}, { hardRecords: 1 });
    a.seal([small]);
    expect(() => a.close()).toThrow(expect.objectContaining({ code: 'LIMIT_REACHED' }));
    expect(a.nextTimeout).toBeUndefined();
    expect(a.close()).toEqual([]);
    expect(() => a.seal([small])).toThrow(closed);
  });

  it('do not move for a part that is no byte string', () => {
    const [a, b] = createChannels();
    expect(() => a.seal([small, 'text' as never])).toThrow(TypeError);
    const sink = new Recorder();
    b.receive(join(a.seal([small])), sink);
    expect(sink.records).toHaveLength(1);
  });

  it('refuses a peer that goes beyond it', () => {
    const [a, b] = createChannels({}, {}, { hardRecords: 3 });
    for (let i = 0; i < 3; i++) b.receive(join(a.seal([small])), new Recorder());
    expectRefusal(b, join(a.seal([small])));
  });

  it('cannot be set above what the cipher allows', () => {
    expect(() => createChannels({}, { hardRecords: 2 ** 24 + 1 })).toThrow(RangeError);
    const chacha = { initiator: { recordCiphers: ['chacha20poly1305'] as const } };
    expect(() => createChannels(chacha, { hardRecords: 2 ** 32 })).toThrow(RangeError);
  });

  it('gives the keys of one handshake to one channel of a kind', () => {
    const { initiator } = shakeHands();
    createStreamChannel(initiator, { now: NOW, primitives });
    createDatagramChannel(initiator, { now: NOW, primitives });
    expect(() => createStreamChannel(initiator, { now: NOW, primitives })).toThrow(TypeError);
  });
});

describe('after the close (NZ-CHANNEL-01 §5.4)', () => {
  it('refuses further bytes, in the same chunk or a later one', () => {
    const [a, b] = createChannels();
    const farewell = join(a.close());
    const sink = new Recorder();
    expect(() => b.receive(join([farewell, Uint8Array.of(0)]), sink)).toThrow(refused);
    const [c, d] = createChannels();
    d.receive(join(c.close()), sink);
    expect(() => d.receive(Uint8Array.of(0), sink)).toThrow(refused);
  });

  it('ends quietly when the stream ends', () => {
    const [a, b] = createChannels();
    b.receive(join(a.close()), new Recorder());
    expect(() => b.receiveEnd()).not.toThrow();
  });
});
