import { describe, expect, it } from 'vitest';
import { createHandshake } from '../../src/handshake.ts';
import { alice, bob, carol, createIdentity, NOW, primitives, shakeHands } from './peers.ts';

const networkKey = new Uint8Array(32).fill(7);
const sides = [
  ['XX', {}],
  ['IK', { initiator: { remoteStaticKey: bob.staticKeyPair.publicKey } }],
  ['XXfallback', { initiator: { remoteStaticKey: carol.staticKeyPair.publicKey } }],
] as const;

describe.each(sides)(
  '%s',
  (pattern, { initiator = {} }: { initiator?: { remoteStaticKey?: Uint8Array } }) => {
    it.each([undefined, networkKey])('authenticates both sides, with and without a network key', (key) => {
      const shared = key ? { networkKey: key } : {};
      const outcome = shakeHands({ initiator: { ...initiator, ...shared }, responder: shared });
      expect(outcome.initiator.pattern).toBe(pattern);
      expect(outcome.initiator.remote.identity).toEqual(bob.publicKey);
      expect(outcome.initiator.remote.staticKey).toEqual(bob.staticKeyPair.publicKey);
      expect(outcome.responder.remote.identity).toEqual(alice.publicKey);
      expect(outcome.initiator.handshakeHash).toEqual(outcome.responder.handshakeHash);
      expect(outcome.initiator.handshakeHash).toHaveLength(64);
    });

    it('delivers early data once, and says when it may be a replay (NZ-HANDSHAKE-01 §8)', () => {
      const earlyData = new TextEncoder().encode('hello');
      const outcome = shakeHands({ initiator: { ...initiator, earlyData } });
      expect(outcome.responder.earlyData).toEqual(earlyData);
      expect(outcome.responder.isReplayable).toBe(pattern === 'IK');
      expect(outcome.initiator.isReplayable).toBe(false);
    });

    it('may be prepared, and its time begins with the start (NZ-HANDSHAKE-01 §9.1)', () => {
      const prepared = createHandshake({ role: 'initiator', identity: alice, primitives, ...initiator });
      const responder = createHandshake({ role: 'responder', identity: bob, primitives });
      prepared.prepare(NOW);
      prepared.prepare(NOW);
      expect(prepared.deadline).toBeUndefined();
      expect(() => prepared.receive(new Uint8Array(100), NOW)).toThrow(TypeError);
      const { reply, result } = responder.receive(prepared.start(NOW), NOW);
      expect(prepared.deadline).toBe(NOW + 10_000);
      const step = prepared.receive(reply!, NOW);
      const theirs = result ?? responder.receive(step.reply!, NOW).result;
      expect(step.result!.handshakeHash).toEqual(theirs!.handshakeHash);
      expect(() => prepared.start(NOW)).toThrow(expect.objectContaining({ code: 'FINISHED' }));
    });

    it('refuses an authentic peer that is not the expected one with its own code', () => {
      const expected = { expectedIdentity: carol.publicKey };
      const refused = expect.objectContaining({ code: 'IDENTITY_MISMATCH' });
      expect(() => shakeHands({ initiator: { ...initiator, ...expected } })).toThrow(refused);
    });
  },
);

it('prepared without a usable key is as it was, and starting it tells why', () => {
  const remoteStaticKey = new Uint8Array(32);
  const handshake = createHandshake({ role: 'initiator', identity: alice, primitives, remoteStaticKey });
  const refused = expect.objectContaining({ code: 'INVALID_KEY' });
  expect(() => handshake.prepare(NOW)).toThrow(refused);
  expect(() => handshake.start(NOW)).toThrow(refused);
  expect(() => handshake.start(NOW)).toThrow(expect.objectContaining({ code: 'FINISHED' }));
});

describe('negotiation (NZ-HANDSHAKE-01 §7)', () => {
  it('agrees on the same things on both sides', () => {
    const outcome = shakeHands({
      initiator: {
        versions: { min: 1, max: 5 },
        features: ['b', 'a', 'x'],
        recordCiphers: ['aes256gcm', 'chacha20poly1305'],
        maxRecordSize: 9000,
      },
      responder: {
        versions: { min: 2, max: 3 },
        features: ['a', 'b'],
        recordCiphers: ['chacha20poly1305', 'aes256gcm'],
      },
    });
    const agreed = { version: 3, features: ['b', 'a'], recordCipher: 'aes256gcm', maxRecordSize: 9000 };
    expect(outcome.initiator).toMatchObject(agreed);
    expect(outcome.responder).toMatchObject(agreed);
  });

  it('refuses version ranges that do not meet, and disjoint ciphers', () => {
    const noVersion = expect.objectContaining({ code: 'NO_COMMON_VERSION' });
    expect(() => shakeHands({ initiator: { versions: { min: 2, max: 3 } } })).toThrow(noVersion);
    const noCipher = expect.objectContaining({ code: 'NO_COMMON_CIPHER' });
    const [gcm, chacha] = [
      { recordCiphers: ['aes256gcm'] as const },
      { recordCiphers: ['chacha20poly1305'] as const },
    ];
    expect(() => shakeHands({ initiator: gcm, responder: chacha })).toThrow(noCipher);
  });
});

/** The bytes with one of them changed. */
function changed(bytes: Uint8Array, at: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[at]! ^= 1;
  return copy;
}

describe('certificates (NZ-HANDSHAKE-01 §4)', () => {
  it('refuses an expired one, beyond the skew', () => {
    const expired = (age: number) => ({
      responder: { identity: createIdentity(2, { expiresAt: NOW - age }) },
    });
    expect(() => shakeHands(expired(600_001))).toThrow(
      expect.objectContaining({ code: 'CERTIFICATE_EXPIRED' }),
    );
    expect(shakeHands(expired(600_000)).initiator.remote.identity).toEqual(bob.publicKey);
  });

  it('remembers of a signature that it was valid, not for what else and not for how long', () => {
    const fresh = createIdentity(21, { expiresAt: NOW });
    const meet = (identity: typeof fresh, time = NOW) => {
      const responder = createHandshake({ role: 'responder', identity, primitives });
      const initiator = createHandshake({ role: 'initiator', identity: alice, primitives });
      const { reply } = responder.receive(initiator.start(time), time);
      return initiator.receive(reply!, time).result;
    };
    expect(meet(fresh)).toBeDefined();
    for (const change of [
      { publicKey: carol.publicKey },
      { staticKeyPair: carol.staticKeyPair },
      { certificate: { ...fresh.certificate, expiresAt: NOW + 1 } },
      // The same beginning, by which it is found.
      { certificate: { ...fresh.certificate, signature: changed(fresh.certificate.signature, 63) } },
    ]) {
      const refused = expect.objectContaining({ code: 'INVALID_MESSAGE' });
      expect(() => meet({ ...fresh, ...change })).toThrow(refused);
      // And not of one that was refused.
      expect(() => meet({ ...fresh, ...change })).toThrow(refused);
    }
    const expired = expect.objectContaining({ code: 'CERTIFICATE_EXPIRED' });
    expect(() => meet(fresh, NOW + 600_001)).toThrow(expired);
    expect(meet(fresh)).toBeDefined();
  });

  it('refuses a static key that another identity certified', () => {
    const stolen = { ...bob, publicKey: carol.publicKey };
    const refused = expect.objectContaining({ code: 'INVALID_MESSAGE' });
    expect(() => shakeHands({ responder: { identity: stolen } })).toThrow(refused);
  });
});

describe('a private network (NZ-HANDSHAKE-01 §5.3)', () => {
  it.each([
    ['no key', {}],
    ['another key', { networkKey: new Uint8Array(32).fill(8) }],
  ])('answers nothing to an outsider with %s', (_name, outsider) => {
    const initiator = createHandshake({ role: 'initiator', identity: alice, primitives, ...outsider });
    const responder = createHandshake({ role: 'responder', identity: bob, primitives, networkKey });
    const refused = expect.objectContaining({ code: 'INVALID_MESSAGE' });
    expect(() => responder.receive(initiator.start(NOW), NOW)).toThrow(refused);
  });
});
