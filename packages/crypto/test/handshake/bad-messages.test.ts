import { describe, expect, it } from 'vitest';
import { decodeOffer } from '../../src/handshake/offer.ts';
import {
  createHandshake,
  HANDSHAKE_TIMEOUT,
  type HandshakeOptions,
  MAX_HANDSHAKE_MESSAGE,
} from '../../src/handshake.ts';
import { encodeCanonical } from '../../src/msgpack.ts';
import { alice, bob, carol, NOW, primitives, shakeHands } from './peers.ts';

const refused = expect.objectContaining({ code: 'INVALID_MESSAGE' });
const finished = expect.objectContaining({ code: 'FINISHED' });
const networkKey = new Uint8Array(32).fill(7);

const initiate = (options: Partial<HandshakeOptions> = {}) =>
  createHandshake({ role: 'initiator', identity: alice, primitives, ...options });
const respond = (options: Partial<HandshakeOptions> = {}) =>
  createHandshake({ role: 'responder', identity: bob, primitives, ...options });

describe('a changed message', () => {
  it.each([
    ['XX', {}],
    ['IK', { remoteStaticKey: bob.staticKeyPair.publicKey }],
    ['XXfallback', { remoteStaticKey: carol.staticKeyPair.publicKey }],
  ])('breaks %s at any byte of any message, with one code (NZ-HANDSHAKE-01 §5)', (pattern, options) => {
    const [first, second, third] = shakeHands({ initiator: options }).messages.map(({ length }) => length);
    const change = (message: Uint8Array, at: number) => {
      const changed = message.slice();
      changed[at]! ^= 0x40;
      return changed;
    };
    for (let at = 0; at < first!; at += 5) {
      const [initiator, responder] = [initiate(options), respond()];
      // A changed IK message is answered by a fallback, whose transcript then differs.
      expect(() => {
        const { reply } = responder.receive(change(initiator.start(NOW), at), NOW);
        initiator.receive(reply!, NOW);
      }).toThrow(refused);
    }
    for (let at = 0; at < second!; at += 5) {
      const [initiator, responder] = [initiate(options), respond()];
      const { reply } = responder.receive(initiator.start(NOW), NOW);
      expect(() => initiator.receive(change(reply!, at), NOW)).toThrow(refused);
      expect(() => initiator.receive(reply!, NOW)).toThrow(finished);
    }
    for (let at = 0; at < (third ?? 0); at += 5) {
      const [initiator, responder] = [initiate(options), respond()];
      const { reply } = responder.receive(initiator.start(NOW), NOW);
      const { reply: last } = initiator.receive(reply!, NOW);
      expect(() => responder.receive(change(last!, at), NOW)).toThrow(refused);
      expect(() => responder.receive(last!, NOW)).toThrow(finished);
    }
    expect(third === undefined).toBe(pattern === 'IK');
  });

  it('cannot turn one pattern, suite or version into another (NZ-HANDSHAKE-01 §5.2)', () => {
    for (const [at, value] of [
      [0, 2],
      [1, 2],
      [1, 3],
      [1, 0],
      [2, 2],
      [3, 1],
      [3, 2],
    ] as const) {
      const changed = initiate().start(NOW).slice();
      changed[at] = value;
      expect(() => respond().receive(changed, NOW)).toThrow(refused);
    }
    const responder = respond();
    const initiator = initiate({ remoteStaticKey: bob.staticKeyPair.publicKey });
    const asXx = initiator.start(NOW).slice(0, 36);
    asXx[1] = 1;
    const { reply } = responder.receive(asXx, NOW);
    expect(() => initiator.receive(reply!, NOW)).toThrow(refused);
  });
});

describe('a message of another run', () => {
  it('is refused: reflected, replayed or of another session (NZ-HANDSHAKE-01 §5)', () => {
    const reflected = initiate();
    const first = reflected.start(NOW);
    expect(() => reflected.receive(first, NOW)).toThrow(refused);
    const earlier = shakeHands();
    const initiator = initiate();
    initiator.start(NOW);
    expect(() => initiator.receive(earlier.messages[1]!, NOW)).toThrow(refused);
    const responder = respond();
    responder.receive(initiate().start(NOW), NOW);
    expect(() => responder.receive(earlier.messages[2]!, NOW)).toThrow(refused);
  });

  it('never gives a replayed first message a second session with the same keys (NZ-HANDSHAKE-01 §8)', () => {
    const initiator = initiate({ remoteStaticKey: bob.staticKeyPair.publicKey });
    const first = initiator.start(NOW);
    const [one, two] = [respond().receive(first, NOW), respond().receive(first, NOW)];
    expect(one.result!.isReplayable).toBe(true);
    expect(one.result!.handshakeHash).not.toEqual(two.result!.handshakeHash);
  });
});

describe('sizes and keys (NZ-HANDSHAKE-01 §5.1)', () => {
  it('refuses messages that are too short or too long', () => {
    for (const length of [0, 3, 4, 35, 37, MAX_HANDSHAKE_MESSAGE + 1, 70_000]) {
      const message = new Uint8Array(length);
      message.set([1, 1, 1, 0].slice(0, length));
      expect(() => respond().receive(message, NOW)).toThrow(refused);
    }
  });

  it('refuses an ephemeral key of small order: the shared secret would be all zero (§3.1)', () => {
    const zero = new Uint8Array(36);
    zero.set([1, 1, 1, 0]);
    expect(() => respond().receive(zero, NOW)).toThrow(refused);
  });

  it('takes messages with 8 KiB of early data, and the options refuse more (§8)', () => {
    const earlyData = new Uint8Array(8_192).fill(3);
    expect(shakeHands({ initiator: { earlyData } }).responder.earlyData).toEqual(earlyData);
    expect(() => initiate({ earlyData: new Uint8Array(8_193) })).toThrow(RangeError);
    expect(() => respond({ earlyData })).toThrow(TypeError);
  });

  it('answers an outsider of a private network before any key agreement (§5.3)', () => {
    let agreements = 0;
    const x25519 = {
      ...primitives.x25519,
      sharedSecret: (...keys: [Uint8Array, Uint8Array]) => {
        agreements += 1;
        return primitives.x25519.sharedSecret(...keys);
      },
    };
    const counted = { ...primitives, x25519 };
    const guess = initiate({ networkKey: new Uint8Array(32), remoteStaticKey: bob.staticKeyPair.publicKey });
    expect(() => respond({ networkKey, primitives: counted }).receive(guess.start(NOW), NOW)).toThrow(
      refused,
    );
    expect(agreements).toBe(0);
  });
});

describe('time (NZ-HANDSHAKE-01 §9)', () => {
  it('ends a handshake that takes longer than ten seconds', () => {
    const [initiator, responder] = [initiate(), respond()];
    const { reply } = responder.receive(initiator.start(NOW), NOW);
    expect(initiator.deadline).toBe(NOW + HANDSHAKE_TIMEOUT);
    const late = expect.objectContaining({ code: 'TIMEOUT' });
    expect(() => initiator.receive(reply!, NOW + HANDSHAKE_TIMEOUT + 1)).toThrow(late);
    expect(initiator.deadline).toBeUndefined();
  });
});

describe('use out of turn', () => {
  it('is an error of the program, and says so', () => {
    expect(() => respond().start(NOW)).toThrow(TypeError);
    expect(() => initiate().receive(new Uint8Array(40), NOW)).toThrow(TypeError);
    const started = initiate();
    started.start(NOW);
    expect(() => started.start(NOW)).toThrow(finished);
    const disposed = initiate();
    disposed[Symbol.dispose]();
    expect(() => disposed.start(NOW)).toThrow(finished);
  });

  it('ends a handshake that cannot start: the responder’s key is of small order', () => {
    const hopeless = initiate({ remoteStaticKey: new Uint8Array(32) });
    expect(() => hopeless.start(NOW)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }));
    expect(hopeless.deadline).toBeUndefined();
    expect(() => hopeless.start(NOW)).toThrow(finished);
  });
});

describe('an offer (NZ-HANDSHAKE-01 §6.1)', () => {
  const valid = [1, 1, ['a'], ['aes256gcm'], 5_000, bob.publicKey, NOW, bob.certificate.signature, null];
  const change = (at: number, value: unknown) =>
    encodeCanonical(valid.map((field, i) => (i === at ? value : field)) as never);

  it('may have fields that a later revision adds', () => {
    expect(decodeOffer(encodeCanonical([...valid, 'new', 7] as never)).features).toEqual(['a']);
  });

  it.each([
    ['no version', 0, 0],
    ['a range upside down', 0, 2],
    ['a version beyond 16 bits', 1, 65_536],
    ['a feature twice', 2, ['a', 'a']],
    ['an empty name', 2, ['']],
    ['a name of 65 bytes', 2, ['a'.repeat(65)]],
    ['a name that is not printable ASCII', 2, ['ä']],
    ['too many features', 2, Array.from({ length: 33 }, (_, i) => `f${i}`)],
    ['ciphers that are no list', 3, 'aes256gcm'],
    ['a record size below 4096', 4, 4_095],
    ['a record size above 1 MiB', 4, 1_048_577],
    ['a short identity', 5, new Uint8Array(31)],
    ['a negative expiry', 6, -1],
    ['a short signature', 7, new Uint8Array(63)],
    ['too much early data', 8, new Uint8Array(8_193)],
  ])('is refused with %s', (_name, at, value) => {
    expect(() => decodeOffer(change(at, value))).toThrow(refused);
  });

  it.each([
    ['a version beyond 16 bits', { versions: { min: 1, max: 65_536 } }],
    ['a cipher twice', { recordCiphers: ['aes256gcm', 'aes256gcm'] as const }],
  ])('is not made with %s: every peer would refuse it', (_name, options) => {
    expect(() => initiate(options)).toThrow(RangeError);
  });

  it('is refused when fields are missing, or it is no list', () => {
    expect(() => decodeOffer(encodeCanonical(valid.slice(0, 8) as never))).toThrow(refused);
    expect(() => decodeOffer(encodeCanonical({ a: 1 }))).toThrow(refused);
    expect(() => decodeOffer(new Uint8Array(0))).toThrow(refused);
  });
});
