import { ed25519, ready, x25519 } from '@nzcore/crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { identityFromSeed, peerIdFromPublicKey, verify } from '../src/index.ts';

const DAY = 24 * 60 * 60 * 1000;
const NOW = 1_800_000_000_000;
const seed = new Uint8Array(64).map((_, i) => i);
const text = (value: string) => new TextEncoder().encode(value);

beforeAll(ready);

describe('identity from a seed', () => {
  it('is the same peer for the same seed, and another for any other', () => {
    using first = identityFromSeed(seed);
    using second = identityFromSeed(seed);
    using other = identityFromSeed(seed.toReversed());
    expect(second.peerId).toBe(first.peerId);
    expect(second.keyAgreementPublicKey).toEqual(first.keyAgreementPublicKey);
    expect(other.peerId).not.toBe(first.peerId);
    expect(first.peerId).toBe(peerIdFromPublicKey(first.publicKey));
  });

  it('has other keys in every generation, but keeps its storage key', () => {
    using first = identityFromSeed(seed);
    using rotated = identityFromSeed(seed, { generation: 1 });
    expect(rotated.peerId).not.toBe(first.peerId);
    expect(rotated.keyAgreementPublicKey).not.toEqual(first.keyAgreementPublicKey);
    using firstKey = first.storageKey();
    using rotatedKey = rotated.storageKey();
    firstKey.use((a) => rotatedKey.use((b) => expect(a).toEqual(b)));
  });

  it('refuses a seed that is too short or too long, and a generation that is no small integer', () => {
    expect(() => identityFromSeed(new Uint8Array(31))).toThrow(RangeError);
    expect(() => identityFromSeed(new Uint8Array(65))).toThrow(RangeError);
    for (const generation of [-1, 0.5, 65_536, Number.NaN]) {
      expect(() => identityFromSeed(seed, { generation })).toThrow(RangeError);
    }
  });

  it('leaves the caller’s seed as it was', () => {
    const own = seed.slice();
    identityFromSeed(own)[Symbol.dispose]();
    expect(own).toEqual(seed);
  });

  it('refuses every use after it is disposed, and its secret keys are zero', () => {
    const identity = identityFromSeed(seed);
    const { staticKeyPair } = identity.handshakeIdentity(NOW);
    identity[Symbol.dispose]();
    identity[Symbol.dispose]();
    expect(staticKeyPair.secretKey).toEqual(new Uint8Array(32));
    const disposed = expect.objectContaining({ code: 'DISPOSED' });
    expect(() => identity.sign('app/v1', text('x'))).toThrow(disposed);
    expect(() => identity.handshakeIdentity(NOW)).toThrow(disposed);
    expect(() => identity.storageKey()).toThrow(disposed);
  });

  it('shows no secret when it is printed or serialised', async () => {
    const { inspect } = await import('node:util');
    using identity = identityFromSeed(seed);
    const secret = Buffer.from(identity.handshakeIdentity(NOW).staticKeyPair.secretKey);
    for (const printed of [inspect(identity, { depth: 9, showHidden: true }), JSON.stringify(identity)]) {
      expect(printed).not.toContain(secret.toString('hex'));
      expect(printed).not.toContain(secret.toString('base64'));
      expect(printed).not.toContain([...secret].join(', '));
      expect(printed).not.toContain([...secret].join(','));
    }
  });
});

describe('signatures', () => {
  it('verify for the domain, the bytes and the peer they were made for, and for no other', () => {
    using identity = identityFromSeed(seed);
    using other = identityFromSeed(seed.toReversed());
    const signature = identity.sign('NZ-TRUST-01/entry', text('hello'));
    const { peerId } = identity;
    expect(verify('NZ-TRUST-01/entry', text('hello'), { signature, peerId })).toBe(true);
    expect(verify('NZ-TRUST-01/entries', text('hello'), { signature, peerId })).toBe(false);
    expect(verify('NZ-TRUST-01/entry', text('hellO'), { signature, peerId })).toBe(false);
    expect(verify('NZ-TRUST-01/entry', text('hello'), { signature, peerId: other.peerId })).toBe(false);
    expect(verify('NZ-TRUST-01/entry', text('hello'), { signature: signature.slice(1), peerId })).toBe(false);
    // A signature over the bare bytes is not a signature of ours.
    expect(ed25519.verify(signature, text('hello'), identity.publicKey)).toBe(false);
  });

  it('are over domain || 0x00 || bytes', () => {
    using identity = identityFromSeed(seed);
    const signature = identity.sign('app/v1', Uint8Array.of(1, 2));
    expect(ed25519.verify(signature, Uint8Array.of(...text('app/v1'), 0, 1, 2), identity.publicKey)).toBe(
      true,
    );
  });

  it('fail for any flipped bit', () => {
    using identity = identityFromSeed(seed);
    const { peerId } = identity;
    const signature = identity.sign('app/v1', text('hello'));
    fc.assert(
      fc.property(fc.nat({ max: 511 }), (bit) => {
        const flipped = signature.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        expect(verify('app/v1', text('hello'), { signature: flipped, peerId })).toBe(false);
      }),
    );
  });

  it('need a domain, and cannot be made for the domain of the handshake', () => {
    using identity = identityFromSeed(seed);
    for (const domain of [
      '',
      ' ',
      'a b',
      'a\0b',
      '/x',
      'é',
      'x'.repeat(65),
      'NZ-HANDSHAKE-01/static-key',
      'NZ-HANDSHAKE-01/static-keyA',
    ]) {
      expect(() => identity.sign(domain, text('x')), JSON.stringify(domain)).toThrow(RangeError);
    }
  });
});

describe('handshake identity', () => {
  it('is a static key with a certificate that the identity signed (NZ-HANDSHAKE-01)', () => {
    using identity = identityFromSeed(seed);
    const { publicKey, staticKeyPair, certificate } = identity.handshakeIdentity(NOW);
    expect(publicKey).toEqual(identity.publicKey);
    expect(x25519.publicKey(staticKeyPair.secretKey)).toEqual(staticKeyPair.publicKey);
    expect(certificate.expiresAt).toBe(NOW + 7 * DAY);
    const message = Buffer.alloc(26 + 32 + 8);
    message.write('NZ-HANDSHAKE-01/static-key');
    message.set(staticKeyPair.publicKey, 26);
    message.writeBigUInt64BE(BigInt(certificate.expiresAt), 58);
    expect(ed25519.verify(certificate.signature, Uint8Array.from(message), publicKey)).toBe(true);
  });

  it('keeps its certificate for half its life, then shows a new one', () => {
    using identity = identityFromSeed(seed);
    const first = identity.handshakeIdentity(NOW).certificate;
    expect(identity.handshakeIdentity(NOW + 3.5 * DAY).certificate).toBe(first);
    const renewed = identity.handshakeIdentity(NOW + 3.5 * DAY + 1).certificate;
    expect(renewed.expiresAt).toBe(NOW + 10.5 * DAY + 1);
  });

  it('makes a new certificate when the clock was set back', () => {
    using identity = identityFromSeed(seed);
    identity.handshakeIdentity(NOW);
    expect(identity.handshakeIdentity(NOW - DAY).certificate.expiresAt).toBe(NOW + 6 * DAY);
  });
});
