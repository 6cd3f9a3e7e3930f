import { describe, expect, it } from 'vitest';
import { createChannels, join, Recorder, settle } from './channels.ts';

const toHex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const bytes = (length: number, seed = 1): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 31 + seed);

describe.each(['chacha20poly1305', 'aes256gcm', 'aes256gcm-chacha20poly1305'] as const)(
  'records with %s',
  (cipher) => {
    const sides = { initiator: { recordCiphers: [cipher] } };

    it.each([1, 3, 17, 1000, 70_000])('survive any slicing of the stream into %i bytes', (slice) => {
      const [a, b] = createChannels(sides);
      const sink = new Recorder();
      const sent = [bytes(1), bytes(1_519), bytes(1_520), bytes(20_000), bytes(66_560)];
      const wire = join(sent.flatMap((data) => a.seal([data.subarray(0, 10), data.subarray(10)])));
      for (let at = 0; at < wire.length; at += slice) b.receive(wire.subarray(at, at + slice), sink);
      expect(sink.records.map(toHex)).toEqual(sent.map(toHex));
    });

    it('goes on through key updates and Diffie-Hellman steps of both sides', () => {
      const [a, b] = createChannels(sides, { updateRecords: 3, ratchetBytes: 20_000 });
      const [sinkA, sinkB] = [new Recorder(), new Recorder()];
      for (let i = 0; i < 40; i++) {
        b.receive(join(a.seal([bytes(3_000, i)])), sinkB);
        a.receive(join(b.seal([bytes(100, i)])), sinkA);
        settle(a, b, { a: sinkA, b: sinkB });
      }
      expect(sinkB.records.map(toHex)).toEqual(Array.from({ length: 40 }, (_, i) => toHex(bytes(3_000, i))));
      expect(sinkA.records.map(toHex)).toEqual(Array.from({ length: 40 }, (_, i) => toHex(bytes(100, i))));
      expect(a.counters.ratchets).toBeGreaterThan(3);
      expect(a.counters.ratchets).toBe(b.counters.ratchets);
      expect(b.counters.keyUpdates).toBeGreaterThan(3);
    });
  },
);

describe('small contents', () => {
  it.each([true, false])(
    'share memory only with a sink that says so (%s), and no byte of it is used twice',
    (isSharing) => {
      const [a, b] = createChannels();
      const sink = Object.assign(new Recorder(), { isSharing });
      const sent = Array.from({ length: 300 }, (_, i) => bytes(1 + ((i * 7) % 700), i));
      const wires = sent.map((data) => a.seal([data]));
      for (const wire of wires) b.receive(join(wire), sink);
      expect(sink.records.map(toHex)).toEqual(sent.map(toHex));
      const buffers = new Set(sink.records.map(({ buffer }) => buffer));
      if (isSharing) expect(buffers.size).toBeLessThan(200);
      else expect(buffers.size).toBe(300);
    },
  );
});

describe('the authenticated close (NZ-CHANNEL-01 §5.4)', () => {
  it('is told once, and each direction closes by itself', () => {
    const [a, b] = createChannels();
    const sink = new Recorder();
    b.receive(join(a.close()), sink);
    expect(sink.closes).toBe(1);
    expect(a.close()).toEqual([]);
    expect(() => a.seal([bytes(1)])).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    const back = new Recorder();
    a.receive(join([...b.seal([bytes(5)]), ...b.close()]), back);
    expect(back.records).toEqual([bytes(5)]);
    expect(back.closes).toBe(1);
  });

  it('tells a truncated stream from a closed one', () => {
    const [a, b] = createChannels();
    b.receive(join(a.seal([bytes(5)])), new Recorder());
    expect(() => b.receiveEnd()).toThrow(expect.objectContaining({ code: 'TRUNCATED' }));
  });
});
