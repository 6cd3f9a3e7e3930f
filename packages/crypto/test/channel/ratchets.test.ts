import { describe, expect, it } from 'vitest';
import { DhRatchet } from '../../src/channel/dh-ratchet.ts';
import { ChannelSecrets } from '../../src/channel/secrets.ts';
import { createStreamChannel } from '../../src/channel.ts';
import { NOW, primitives } from '../handshake/peers.ts';
import { createChannels, join, Recorder, settle } from './channels.ts';

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 7);
const refused = expect.objectContaining({ code: 'INVALID_RECORD' });
const MINUTE = 60_000;

describe('the symmetric ratchet of a stream (NZ-CHANNEL-01 §6.2)', () => {
  it.each([
    ['records', { updateRecords: 2 }],
    ['bytes', { updateBytes: 150 }],
  ])('steps by %s, in both directions', (_name, limits) => {
    const [a, b] = createChannels({}, limits);
    const sink = new Recorder();
    for (let i = 0; i < 5; i++) {
      b.receive(join(a.seal([bytes(60)])), sink);
      settle(a, b);
    }
    expect(a.counters.keyUpdates).toBe(2);
    expect(b.counters.keyUpdates).toBe(2);
    expect(sink.records).toHaveLength(5);
  });

  it('steps by time when the channel is in use, and not when it is idle', () => {
    const [a, b] = createChannels({}, { ratchetInterval: 60 * MINUTE });
    expect(a.nextTimeout).toBe(NOW + MINUTE);
    a.onTimeout(NOW + MINUTE);
    expect(a.takeControl()).toBeUndefined();
    b.receive(join(a.seal([bytes(9)])), new Recorder());
    a.onTimeout(NOW + 2 * MINUTE);
    settle(a, b);
    expect([a.counters.keyUpdates, b.counters.keyUpdates]).toEqual([1, 1]);
  });
});

describe('the Diffie-Hellman ratchet of a stream (NZ-CHANNEL-01 §6.3)', () => {
  it('steps after two minutes of use', () => {
    const [a, b] = createChannels();
    b.receive(join(a.seal([bytes(9)])), new Recorder());
    for (const time of [NOW + MINUTE, NOW + 2 * MINUTE]) {
      a.onTimeout(time);
      settle(a, b);
    }
    expect([a.counters.ratchets, b.counters.ratchets]).toEqual([1, 1]);
  });

  it('goes through once when both sides offer at the same time (§6.4)', () => {
    const [a, b] = createChannels({}, { ratchetBytes: 100 });
    const [sinkA, sinkB] = [new Recorder(), new Recorder()];
    const toB = join([...a.seal([bytes(60)]), ...a.seal([bytes(60)]), ...a.seal([bytes(1)])]);
    const toA = join([...b.seal([bytes(60)]), ...b.seal([bytes(60)]), ...b.seal([bytes(1)])]);
    b.receive(toB, sinkB);
    a.receive(toA, sinkA);
    settle(a, b, { a: sinkA, b: sinkB });
    b.receive(join(a.seal([bytes(2)])), sinkB);
    a.receive(join(b.seal([bytes(2)])), sinkA);
    expect([a.counters.ratchets, b.counters.ratchets]).toEqual([1, 1]);
    expect([sinkA.records.length, sinkB.records.length]).toEqual([4, 4]);
  });

  it('completes while both sides keep sending, in every interleaving of a few records', () => {
    for (let order = 0; order < 64; order++) {
      const [a, b] = createChannels({}, { ratchetBytes: 100, updateRecords: 2 });
      const [sinkA, sinkB] = [new Recorder(), new Recorder()];
      const wires: [Uint8Array[], Uint8Array[]] = [[], []];
      for (let turn = 0; turn < 24; turn++) {
        const isA = ((order >> (turn % 6)) & 1) === 0;
        const [sender, receiver, sink] = isA ? ([a, b, sinkB] as const) : ([b, a, sinkA] as const);
        wires[isA ? 0 : 1].push(join(sender.seal([bytes(50)])));
        if (turn % 3 === 2) receiver.receive(wires[isA ? 0 : 1].shift()!, sink);
      }
      for (const wire of wires[0]) b.receive(wire, sinkB);
      for (const wire of wires[1]) a.receive(wire, sinkA);
      settle(a, b, { a: sinkA, b: sinkB });
      expect(sinkA.records.length + sinkB.records.length).toBe(24);
      expect(a.counters.ratchets).toBe(b.counters.ratchets);
      expect(a.counters.ratchets).toBeGreaterThan(0);
    }
  });

  it('heals: who copied all keys reads on through key updates, but nothing behind the step', () => {
    const keys = (): [Uint8Array, Uint8Array] => [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const create = (role: 'initiator' | 'responder', limits = {}) => {
      const secrets = new ChannelSecrets(keys(), new Uint8Array(64), primitives);
      const basis = { role, recordCipher: 'chacha20poly1305', maxRecordSize: 66_560, secrets } as const;
      return createStreamChannel(basis, { now: NOW, primitives, limits });
    };
    const [a, b, thief] = [
      create('initiator', { updateRecords: 2, ratchetBytes: 300 }),
      create('responder'),
      create('responder'),
    ];
    const [read, stolen] = [new Recorder(), new Recorder()];
    for (let i = 0; i < 5; i++) {
      const wire = join(a.seal([bytes(60)]));
      b.receive(wire, read);
      thief.receive(wire, stolen);
    }
    expect(a.counters.keyUpdates).toBe(2);
    expect(stolen.records).toEqual(read.records);
    for (const wire of [join(a.takeControl()), undefined]) {
      if (wire) thief.receive(wire, stolen);
      if (wire) b.receive(wire, read);
      a.receive(join(b.takeControl()), read);
    }
    const behind = join(a.seal([bytes(60)]));
    b.receive(behind, read);
    expect([a.counters.ratchets, b.counters.ratchets, read.records.length]).toEqual([1, 1, 6]);
    expect(() => thief.receive(behind, stolen)).toThrow(refused);
    expect(stolen.records).toHaveLength(5);
  });

  it('keeps its own offer when the peer’s has a key of small order (§7.5)', () => {
    const create = (role: 'initiator' | 'responder') => new DhRatchet(bytes(32), role, primitives);
    const [initiator, responder] = [create('initiator'), create('responder')];
    const offer = responder.offer();
    expect(() => responder.receiveOffer(new Uint8Array(32))).toThrow(refused);
    const answer = initiator.receiveOffer(offer)!;
    expect(responder.receiveAnswer(answer.publicKey)).toEqual(answer.secrets);
  });

  it('refuses more offers than an honest peer makes (§6.5)', () => {
    const [a, b] = createChannels({}, { ratchetBytes: 1 });
    const flood = () => {
      for (let i = 0; i < 20; i++) {
        b.receive(join(a.seal([bytes(2)])), new Recorder());
        settle(a, b);
      }
    };
    expect(flood).toThrow(refused);
  });

  it('lets one direction close in the middle of an exchange', () => {
    const [a, b] = createChannels({}, { ratchetBytes: 100 });
    const sink = new Recorder();
    b.receive(join(a.seal([bytes(120)])), sink);
    const [offer, farewell] = [join(a.takeControl()), join(a.close())];
    b.receive(offer, sink);
    const answer = join(b.seal([bytes(7)]));
    b.receive(farewell, sink);
    const back = new Recorder();
    a.receive(answer, back);
    a.receive(join([...b.seal([bytes(8)]), ...b.close()]), back);
    expect(back.records).toEqual([bytes(7), bytes(8)]);
    expect([sink.closes, back.closes]).toEqual([1, 1]);
  });
});
