import { createHash, hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createPrimitives } from '../../src/index.ts';
import { blake2sHash } from '../../src/noise/blake2s.ts';
import { createSuite, nativeHash } from '../../src/noise/suite.ts';
import {
  CipherState,
  createCipherState,
  createNoiseHandshake,
  type HandshakeState,
  parsePattern,
  parseProtocolName,
  patternNames,
} from '../../src/noise.ts';

const primitives = createPrimitives('node');
const nothing = new Uint8Array(0);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const finished = expect.objectContaining({ name: 'NoiseError', code: 'FINISHED' });
const refused = expect.objectContaining({ name: 'NoiseError', code: 'INVALID_MESSAGE' });

/** Both sides of any protocol, with whatever keys its pattern may need. */
function createSides(protocolName: string): [HandshakeState, HandshakeState] {
  const [ours, theirs] = [primitives.x25519.generateKeyPair(), primitives.x25519.generateKeyPair()];
  const psks = Array.from({ length: parseProtocolName(protocolName).pattern.pskCount }, (_, i) =>
    new Uint8Array(32).fill(i + 1),
  );
  const common = { protocolName, primitives, psks };
  return [
    createNoiseHandshake({
      ...common,
      role: 'initiator',
      staticKeyPair: ours,
      remoteStaticKey: theirs.publicKey,
    }),
    createNoiseHandshake({
      ...common,
      role: 'responder',
      staticKeyPair: theirs,
      remoteStaticKey: ours.publicKey,
    }),
  ];
}

/** Exchanges all messages; answers how many there were. */
function exchange(initiator: HandshakeState, responder: HandshakeState): number {
  let count = 0;
  for (; initiator.nextSender; count++) {
    const [writer, reader] =
      initiator.nextSender === 'initiator' ? [initiator, responder] : [responder, initiator];
    const overhead = writer.nextOverhead;
    const message = writer.writeMessage(text('payload'));
    expect(message).toHaveLength(overhead + 7);
    expect(reader.readMessage(message)).toEqual(text('payload'));
  }
  return count;
}

describe.each(['ChaChaPoly', 'AESGCM'])('every pattern with %s', (cipher) => {
  it.each(['BLAKE2b', 'SHA256', 'SHA512', 'BLAKE2s'])('completes with %s, with and without psk', (hash) => {
    for (const pattern of patternNames.flatMap((name) => [name, `${name}psk0`, `${name}psk1`])) {
      const [initiator, responder] = createSides(`Noise_${pattern}_25519_${cipher}_${hash}`);
      expect(exchange(initiator, responder)).toBe(parsePattern(pattern).messages.length);
      const [ours, theirs] = [initiator.split(), responder.split()];
      expect(ours.handshakeHash).toEqual(theirs.handshakeHash);
      expect(ours.sendKey).toEqual(theirs.receiveKey);
      expect(ours.receiveKey).toEqual(theirs.sendKey);
    }
  });
});

describe('BLAKE2s (Noise §12.7)', () => {
  it('agrees with OpenSSL', () => {
    expect(Buffer.from(blake2sHash.hash(text('abc')))).toEqual(
      createHash('blake2s256').update('abc').digest(),
    );
    const expected = new Uint8Array(hkdfSync('blake2s256', text('input'), text('key'), nothing, 96));
    expect(blake2sHash.hkdf(text('key'), text('input'), 3)).toEqual(expected);
  });
});

describe('a handshake', () => {
  it.each([0, 33, 60, 90])('is wiped by a message that is changed at byte %i', (at) => {
    const [initiator, responder] = createSides('Noise_XX_25519_ChaChaPoly_BLAKE2b');
    responder.readMessage(initiator.writeMessage(nothing));
    const changed = responder.writeMessage(text('payload'));
    changed[at]! ^= 1;
    expect(() => initiator.readMessage(changed)).toThrow(refused);
    expect(initiator.nextSender).toBeUndefined();
    expect(() => initiator.writeMessage(nothing)).toThrow(finished);
    expect(() => initiator.readMessage(changed)).toThrow(finished);
    expect(() => initiator.split()).toThrow(finished);
  });

  it('zeroes its own secrets and nothing else', () => {
    const ephemeralKeyPair = primitives.x25519.generateKeyPair();
    const staticKeyPair = primitives.x25519.generateKeyPair();
    const psk = new Uint8Array(32).fill(3);
    const handshake = createNoiseHandshake({
      protocolName: 'Noise_XXpsk3_25519_ChaChaPoly_BLAKE2b',
      role: 'initiator',
      primitives,
      staticKeyPair,
      ephemeralKeyPair,
      psks: [psk],
    });
    handshake.writeMessage(nothing);
    handshake[Symbol.dispose]();
    expect(ephemeralKeyPair.secretKey).toEqual(new Uint8Array(32));
    expect(staticKeyPair.secretKey).not.toEqual(new Uint8Array(32));
    expect(psk).toEqual(new Uint8Array(32).fill(3));
  });

  it('keeps to 65535 bytes, in both directions (Noise §3)', () => {
    const [initiator, responder] = createSides('Noise_NN_25519_ChaChaPoly_BLAKE2b');
    expect(() => initiator.writeMessage(new Uint8Array(65_504))).toThrow(RangeError);
    const longest = initiator.writeMessage(new Uint8Array(65_503));
    expect(longest).toHaveLength(65_535);
    expect(responder.readMessage(longest)).toHaveLength(65_503);
    const [, other] = createSides('Noise_NN_25519_ChaChaPoly_BLAKE2b');
    expect(() => other.readMessage(new Uint8Array(65_536).fill(9))).toThrow(refused);
  });

  it('refuses an all-zero shared secret', () => {
    const [, responder] = createSides('Noise_NN_25519_ChaChaPoly_BLAKE2b');
    responder.readMessage(new Uint8Array(32));
    expect(() => responder.writeMessage(nothing)).toThrow();
    expect(() => responder.writeMessage(nothing)).toThrow(finished);
  });

  it('keeps to its turn', () => {
    const [initiator, responder] = createSides('Noise_NN_25519_ChaChaPoly_BLAKE2b');
    expect(() => responder.writeMessage(nothing)).toThrow(TypeError);
    expect(() => initiator.readMessage(nothing)).toThrow(TypeError);
    expect(() => initiator.split()).toThrow(finished);
  });

  it('falls back from IK to XXfallback (Noise §10)', () => {
    const [initiator, responder] = createSides('Noise_IK_25519_ChaChaPoly_BLAKE2b');
    const staticKeys = [primitives.x25519.generateKeyPair(), primitives.x25519.generateKeyPair()] as const;
    const first = initiator.writeMessage(text('lost'));
    first[40]! ^= 1;
    expect(() => responder.readMessage(first)).toThrow(refused);
    const name = 'Noise_XXfallback_25519_ChaChaPoly_BLAKE2b';
    const pattern = parsePattern('XXfallback');
    const theirs = responder.fallback(pattern, name, { staticKeyPair: staticKeys[1] });
    const ours = initiator.fallback(pattern, name, { staticKeyPair: staticKeys[0] });
    expect(exchange(ours, theirs)).toBe(2);
    expect(ours.remoteStaticKey).toEqual(staticKeys[1].publicKey);
    expect(() => initiator.writeMessage(nothing)).toThrow(finished);
    const [a, b] = [ours.split(), theirs.split()];
    expect([a.sendKey, a.receiveKey, a.handshakeHash]).toEqual([b.receiveKey, b.sendKey, b.handshakeHash]);
  });
});

describe('names and keys', () => {
  it.each([
    'Noise_XX_448_ChaChaPoly_BLAKE2b',
    'Noise_XX_25519_ChaChaPoly_MD5',
    'Noise_XX_25519_XOR_SHA256',
    'Noise_ZZ_25519_ChaChaPoly_SHA256',
    'Noise_XX_25519_ChaChaPoly_SHA256_more',
    'XX_25519_ChaChaPoly_SHA256',
    'Noise_XXpsk9_25519_ChaChaPoly_SHA256',
    'Noise_XXpsk0+psk0_25519_ChaChaPoly_SHA256',
    'Noise_IKfallback_25519_ChaChaPoly_SHA256',
    'Noise_XXhfs_25519_ChaChaPoly_SHA256',
    'Noise_constructor_25519_ChaChaPoly_SHA256',
  ])('does not offer %s', (name) => {
    expect(() => parseProtocolName(name)).toThrow(TypeError);
  });

  it('says which key is missing or wrong', () => {
    const create = (pattern: string, keys: object) => () =>
      createNoiseHandshake({
        protocolName: `Noise_${pattern}_25519_ChaChaPoly_SHA256`,
        role: 'initiator',
        primitives,
        ...keys,
      });
    expect(create('XX', {})).toThrow(/staticKeyPair/);
    expect(create('NK', {})).toThrow(/remoteStaticKey/);
    expect(create('NK', { remoteStaticKey: new Uint8Array(31) })).toThrow(RangeError);
    expect(create('NNpsk0', {})).toThrow(/psk/);
    expect(create('NNpsk0', { psks: [new Uint8Array(31)] })).toThrow(RangeError);
    expect(create('XXfallback', { staticKeyPair: primitives.x25519.generateKeyPair() })).toThrow(
      /ephemeralKeyPair/,
    );
  });
});

describe('a cipher state (Noise §5.1)', () => {
  const create = () =>
    [1, 2].map(() => createCipherState('ChaChaPoly', new Uint8Array(32).fill(5), primitives)) as [
      CipherState,
      CipherState,
    ];

  it('counts only what it could open, and can be set for lost messages', () => {
    const [sealing, opening] = create();
    const first = sealing.encryptWithAd(nothing, text('one'));
    const second = sealing.encryptWithAd(nothing, text('two'));
    expect(() => opening.decryptWithAd(nothing, second)).toThrow(refused);
    expect(opening.nonce).toBe(0);
    opening.setNonce(1);
    expect(opening.decryptWithAd(nothing, second)).toEqual(text('two'));
    expect(() => opening.decryptWithAd(nothing, first)).toThrow(refused);
    expect(() => opening.decryptWithAd(nothing, new Uint8Array(15))).toThrow(refused);
  });

  it('rekeys on both sides alike, and keeps the counter (§11.3)', () => {
    const [sealing, opening] = create();
    sealing.rekey();
    const sealed = sealing.encryptWithAd(nothing, text('new'));
    expect(() => opening.decryptWithAd(nothing, sealed)).toThrow(refused);
    opening.rekey();
    expect(opening.decryptWithAd(nothing, sealed)).toEqual(text('new'));
  });

  it('never wraps its counter, and ends when it is disposed of', () => {
    const [state] = create();
    expect(() => state.setNonce(Number.MAX_SAFE_INTEGER)).toThrow(RangeError);
    expect(() => state.setNonce(-1)).toThrow(RangeError);
    state.setNonce(Number.MAX_SAFE_INTEGER - 1);
    state.encryptWithAd(nothing, nothing);
    expect(() => state.encryptWithAd(nothing, nothing)).toThrow(
      expect.objectContaining({ code: 'NONCE_EXHAUSTED' }),
    );
    expect(() => state.encryptWithAd(nothing, new Uint8Array(65_520))).toThrow(RangeError);
    state[Symbol.dispose]();
    expect(() => state.encryptWithAd(nothing, nothing)).toThrow(finished);
    const suite = createSuite('AESGCM', nativeHash('SHA256', primitives), primitives);
    expect(() => new CipherState(suite, new Uint8Array(16))).toThrow(RangeError);
  });
});
