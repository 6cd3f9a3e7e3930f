import fc from 'fast-check';
import sodium from 'sodium-native';
import { beforeAll, describe, expect, it } from 'vitest';
import { runNoise } from '../conformance/noise.ts';
import { runWycheproof } from '../conformance/wycheproof.ts';
import { createPrimitives, type NativeSodium, ready, useNativeSodium } from '../src/index.ts';
import { publishedFiles, readPublished } from './published-vectors.ts';

// Modules are fresh for each file: nobody else's curves change.
const auto = createPrimitives('auto');
const portable = createPrimitives('sodium');
const [wycheproof, noise] = await Promise.all([publishedFiles('wycheproof'), publishedFiles('noise')]);
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
// Around the length from which node:crypto verifies.
const anyMessage = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.uint8Array({ minLength: 4000, maxLength: 4200 }),
);

/** sodium-native, counting its calls. */
const calls = { agreements: 0, verified: 0 };
const counting: NativeSodium = {
  ...only(sodium),
  crypto_scalarmult(...args) {
    calls.agreements++;
    sodium.crypto_scalarmult(...args);
  },
  crypto_sign_verify_detached(...args) {
    calls.verified++;
    return sodium.crypto_sign_verify_detached(...args);
  },
};

/** What is used of it, as an object that can be changed. */
function only(library: NativeSodium): NativeSodium {
  return {
    crypto_scalarmult: (...args) => library.crypto_scalarmult(...args),
    crypto_scalarmult_base: (...args) => library.crypto_scalarmult_base(...args),
    crypto_sign_seed_keypair: (...args) => library.crypto_sign_seed_keypair(...args),
    crypto_sign_verify_detached: (...args) => library.crypto_sign_verify_detached(...args),
  };
}

beforeAll(async () => {
  await ready();
  useNativeSodium(counting);
});

describe('sodium-native, where it is used', () => {
  it('computes agreements and verifies', () => {
    const before = { ...calls };
    const pair = auto.x25519.generateKeyPair();
    auto.x25519.sharedSecret(pair.secretKey, pair.publicKey);
    const identity = auto.ed25519.keyPairFromSeed(new Uint8Array(32));
    const signature = auto.ed25519.sign(new Uint8Array(3), identity.secretKey);
    expect(auto.ed25519.verify(signature, new Uint8Array(3), identity.publicKey)).toBe(true);
    expect(calls).toEqual({ agreements: before.agreements + 1, verified: before.verified + 1 });
  });

  it('gives the same bytes and the same verdicts', () => {
    fc.assert(
      fc.property(bytes32, bytes32, anyMessage, fc.nat(95), (seed, secret, message, at) => {
        const [ours, theirs] = [auto, portable].map(({ ed25519, x25519 }) => {
          const { publicKey } = ed25519.keyPairFromSeed(seed);
          const point = x25519.publicKey(secret);
          const signature = ed25519.sign(message, seed);
          const changed = Uint8Array.from([...signature, ...publicKey]);
          changed[at]! ^= 1;
          return {
            bytes: [publicKey, point, signature, x25519.sharedSecret(seed, point)],
            verdicts: [
              ed25519.verify(signature, message, publicKey),
              ed25519.verify(changed.subarray(0, 64), message, changed.subarray(64)),
            ],
          };
        });
        expect(ours).toEqual(theirs);
        expect(ours!.verdicts).toEqual([true, false]);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses agreements whose result is all zero', () => {
    const { secretKey } = auto.x25519.generateKeyPair();
    expect(() => auto.x25519.sharedSecret(secretKey, new Uint8Array(32))).toThrow(
      expect.objectContaining({ code: 'INVALID_KEY' }),
    );
  });

  it.each(wycheproof)('passes %s', async (name) => {
    const outcomes = runWycheproof(await readPublished('wycheproof', name), [auto]);
    expect(outcomes.filter(({ kind }) => kind !== 'passed')).toEqual([]);
  });

  it.each(noise)('passes %s', async (name) => {
    const outcomes = runNoise(await readPublished('noise', name), [auto]);
    expect(outcomes.filter(({ kind }) => kind !== 'passed')).toEqual([]);
  });
});

describe('a library that is not what it should be', () => {
  const broken: readonly (readonly [string, Partial<NativeSodium>])[] = [
    ['agrees on something else', { crypto_scalarmult: (shared) => void shared.fill(1) }],
    [
      'agrees with points of small order',
      {
        crypto_scalarmult(shared, secretKey, publicKey) {
          if (publicKey.every((byte) => byte === 0)) return;
          sodium.crypto_scalarmult(shared, secretKey, publicKey);
        },
      },
    ],
    ['makes other public keys', { crypto_scalarmult_base: () => undefined }],
    ['makes other identities', { crypto_sign_seed_keypair: (publicKey) => void publicKey.fill(1) }],
    ['believes every signature', { crypto_sign_verify_detached: () => true }],
    ['believes none', { crypto_sign_verify_detached: () => false }],
  ];

  it.each(broken)('is refused when it %s', (_, part) => {
    expect(() => useNativeSodium({ ...only(sodium), ...part })).toThrow(
      expect.objectContaining({ name: 'CryptoError', code: 'UNSUPPORTED' }),
    );
    const before = calls.agreements;
    const pair = auto.x25519.generateKeyPair();
    auto.x25519.sharedSecret(pair.secretKey, pair.publicKey);
    expect(calls.agreements).toBe(before + 1);
  });

  it('is refused when it is another module', () => {
    expect(() => useNativeSodium({} as NativeSodium)).toThrow(/default export/);
  });
});
