import { ED25519_TORSION_SUBGROUP, ed25519 as oracle } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import sodium from 'sodium-native';
import { beforeAll, describe, expect, it } from 'vitest';
import { createPrimitives, ready, useNativeSodium } from '../src/index.ts';

/*
 * The cases of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko 2020), made with @noble/curves: signers who know
 * their scalars and add points of small order. The rule is spec/crypto.md §3.
 */
const { Point } = oracle;
type Point = InstanceType<typeof Point>;
const L = Point.Fn.ORDER;
const P = Point.Fp.ORDER;
const torsion = ED25519_TORSION_SUBGROUP.map((hex) => Point.fromHex(hex));
const backends = [createPrimitives('sodium'), createPrimitives('node'), createPrimitives('auto')];

beforeAll(() => ready());

function toLittleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function challenge(r: Uint8Array, a: Uint8Array, message: Uint8Array): bigint {
  return fromLittleEndian(sha512(Buffer.concat([r, a, message]))) % L;
}

/** A signature with S = r + h * a over chosen encodings of R and A. */
function craft(
  keys: { a: bigint; r: bigint; publicKey: Uint8Array; commitment: Uint8Array },
  message: Uint8Array,
): { signature: Uint8Array; h: bigint } {
  const h = challenge(keys.commitment, keys.publicKey, message);
  const s = (keys.r + h * keys.a) % L;
  return { signature: Buffer.concat([keys.commitment, toLittleEndian(s)]), h };
}

function multiply(point: Point, scalar: bigint): Point {
  return scalar === 0n ? Point.ZERO : point.multiplyUnsafe(scalar);
}

function verdicts(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean[] {
  return backends.map(({ ed25519 }) => ed25519.verify(Uint8Array.from(signature), message, publicKey));
}

/** A message whose challenge is a multiple of 8, so that a component of small order in A vanishes. */
function findMessage(r: Uint8Array, a: Uint8Array): Uint8Array {
  for (let counter = 0; ; counter++) {
    const message = new TextEncoder().encode(`message ${counter}`);
    if (challenge(r, a, message) % 8n === 0n) return message;
  }
}

describe.each([
  ['as they come', undefined],
  ['with sodium-native', sodium],
])('Ed25519 verification has one rule on every backend (spec/crypto.md §3), %s', (_, native) => {
  beforeAll(() => {
    if (native !== undefined) useNativeSodium(native);
  });

  const a = 0x1234_5678_9abc_def0n;
  const r = 0xfedc_ba98_7654_3210n;

  it('is cofactorless for keys and commitments with a component of small order', () => {
    let accepted = 0;
    for (const [i, keyTorsion] of torsion.entries()) {
      for (const [j, commitmentTorsion] of torsion.entries()) {
        const A = Point.BASE.multiply(a).add(keyTorsion);
        const R = Point.BASE.multiply(r).add(commitmentTorsion);
        const keys = { a, r, publicKey: A.toBytes(), commitment: R.toBytes() };
        const messages = [Uint8Array.of(i, j), findMessage(keys.commitment, keys.publicKey)];
        for (const message of messages) {
          const { signature, h } = craft(keys, message);
          const isValid = multiply(keyTorsion, h % 8n)
            .add(commitmentTorsion)
            .equals(Point.ZERO);
          accepted += Number(isValid);
          expect(verdicts(signature, message, keys.publicKey)).toEqual([isValid, isValid, isValid]);
        }
      }
    }
    expect(accepted).toBeGreaterThan(8);
  });

  it('refuses a public key of small order in every encoding, though the equation holds', () => {
    for (const publicKey of smallOrderEncodings()) {
      const commitment = Point.BASE.multiply(r).toBytes();
      const message = findMessage(commitment, publicKey);
      const { signature } = craft({ a: 0n, r, publicKey, commitment }, message);
      expect(verdicts(signature, message, publicKey)).toEqual([false, false, false]);
    }
  });

  it('refuses a commitment R of small order in every encoding', () => {
    const publicKey = Point.BASE.multiply(a).toBytes();
    for (const commitment of smallOrderEncodings()) {
      const message = findMessage(commitment, publicKey);
      const { signature } = craft({ a, r: 0n, publicKey, commitment }, message);
      expect(verdicts(signature, message, publicKey)).toEqual([false, false, false]);
    }
  });

  it('refuses S of L or more', () => {
    const publicKey = Point.BASE.multiply(a).toBytes();
    const commitment = Point.BASE.multiply(r).toBytes();
    const message = new Uint8Array(3);
    const { signature } = craft({ a, r, publicKey, commitment }, message);
    expect(verdicts(signature, message, publicKey)).toEqual([true, true, true]);
    const s = fromLittleEndian(signature.subarray(32));
    for (const multiple of [1n, 2n, 8n, 14n]) {
      const larger = Buffer.concat([commitment, toLittleEndian(s + multiple * L)]);
      expect(verdicts(larger, message, publicKey)).toEqual([false, false, false]);
    }
  });

  it('refuses S = 0 and S = L with the identity as key and commitment', () => {
    const identity = Point.ZERO.toBytes();
    for (const s of [0n, L]) {
      const signature = Buffer.concat([identity, toLittleEndian(s)]);
      expect(verdicts(signature, new Uint8Array(0), identity)).toEqual([false, false, false]);
    }
  });

  it('answers false for what is not a point and for wrong lengths', () => {
    const [first] = backends;
    const { publicKey, secretKey } = first!.ed25519.generateKeyPair();
    const signature = first!.ed25519.sign(new Uint8Array(1), secretKey);
    const notAPoint = toLittleEndian(2n);
    expect(verdicts(signature, new Uint8Array(1), notAPoint)).toEqual([false, false, false]);
    for (const length of [0, 31, 33, 63, 65]) {
      const wrong = new Uint8Array(length).fill(1);
      expect(verdicts(wrong, new Uint8Array(1), publicKey)).toEqual([false, false, false]);
      expect(verdicts(signature, new Uint8Array(1), wrong)).toEqual([false, false, false]);
    }
  });

  it('agrees on mutated signatures and keys', () => {
    const [first] = backends;
    const { publicKey, secretKey } = first!.ed25519.keyPairFromSeed(new Uint8Array(32).fill(7));
    const message = new Uint8Array(10);
    const signature = first!.ed25519.sign(message, secretKey);
    const change = fc.array(fc.tuple(fc.nat(95), fc.nat(255)), { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(change, (changes) => {
        const both = Uint8Array.from([...signature, ...publicKey]);
        for (const [at, byte] of changes) both[at] = byte;
        const expected = Buffer.compare(both, Buffer.concat([signature, publicKey])) === 0;
        expect(verdicts(both.subarray(0, 64), message, both.subarray(64))).toEqual([
          expected,
          expected,
          expected,
        ]);
      }),
      { numRuns: 100 },
    );
  });
});

/** The eight points of small order in every encoding of 32 bytes: canonical, with y + P, with either sign bit. */
function smallOrderEncodings(): Uint8Array[] {
  const encodings = new Map<string, Uint8Array>();
  for (const { y } of torsion.map((point) => point.toAffine())) {
    for (const value of [y, y + P]) {
      if (value >= 2n ** 255n) continue;
      for (const sign of [0n, 2n ** 255n]) encodings.set(String(value + sign), toLittleEndian(value + sign));
    }
  }
  return [...encodings.values()];
}
