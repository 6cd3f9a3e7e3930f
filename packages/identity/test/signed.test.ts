import { ready } from '@nzcore/crypto';
import { encodeCanonical } from '@nzcore/crypto/msgpack';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeSigned, encodeSigned, type Identity, identityFromSeed } from '../src/index.ts';

const DOMAIN = 'NZ-TEST-01/entry';
let alice: Identity;
let bob: Identity;

beforeAll(async () => {
  await ready();
  alice = identityFromSeed(new Uint8Array(32).fill(1));
  bob = identityFromSeed(new Uint8Array(32).fill(2));
});

const decode = (bytes: Uint8Array, options: Partial<Parameters<typeof decodeSigned>[2]> = {}) =>
  decodeSigned(DOMAIN, bytes, { maxBytes: 1000, signers: () => [alice.publicKey], ...options });

describe('signed structure', () => {
  it('is the canonical payload and its signatures', () => {
    const fields = [1, 'text', Uint8Array.of(1, 2), null, [true]];
    const bytes = encodeSigned(DOMAIN, fields, alice);
    const payload = encodeCanonical(fields);
    expect(bytes.slice(0, -64)).toEqual(payload);
    expect(bytes.slice(-64)).toEqual(alice.sign(DOMAIN, payload));
    expect(decode(bytes)).toEqual({ fields, payload });
  });

  it('may have several signers of the same bytes, in their order', () => {
    const bytes = encodeSigned(DOMAIN, [1], alice, bob);
    const both = { signatures: 2, signers: () => [alice.publicKey, bob.publicKey] };
    expect(decode(bytes, both)?.fields).toEqual([1]);
    expect(decode(bytes, { signatures: 2, signers: () => [bob.publicKey, alice.publicKey] })).toBeUndefined();
    expect(decode(bytes, { signatures: 2, signers: () => [alice.publicKey] })).toBeUndefined();
    expect(decode(bytes)).toBeUndefined();
  });

  it('is of its domain and signer only', () => {
    const bytes = encodeSigned(DOMAIN, [1], alice);
    expect(
      decodeSigned('NZ-TEST-01/other', bytes, { maxBytes: 1000, signers: () => [alice.publicKey] }),
    ).toBeUndefined();
    expect(decode(bytes, { signers: () => [bob.publicKey] })).toBeUndefined();
    expect(decode(bytes, { signers: () => undefined })).toBeUndefined();
    expect(() => encodeSigned('', [1], alice)).toThrow(RangeError);
  });

  it('is bounded in length and depth before its signature is looked at', () => {
    const bytes = encodeSigned(DOMAIN, [[[['deep']]]], alice);
    expect(decode(bytes)).toBeDefined();
    expect(decode(bytes, { maxDepth: 3 })).toBeUndefined();
    expect(decode(bytes, { maxBytes: bytes.length - 1 })).toBeUndefined();
  });

  it('is an array, in its shortest form', () => {
    const sign = (payload: Uint8Array) => Uint8Array.of(...payload, ...alice.sign(DOMAIN, payload));
    expect(decode(sign(encodeCanonical([1])))).toBeDefined();
    expect(decode(sign(encodeCanonical('text')))).toBeUndefined();
    // [1] with the 1 in two bytes: what a careless encoder would write
    expect(decode(sign(Uint8Array.of(0x91, 0xcc, 0x01)))).toBeUndefined();
    expect(decode(sign(Uint8Array.of(0x91, 0x01, 0x01)))).toBeUndefined();
  });

  it('is undefined for any other bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(decode(bytes)).toBeUndefined();
      }),
    );
  });
});
