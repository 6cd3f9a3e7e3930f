import { ready } from '@nzcore/crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { hpkeDeriveKeyPair, hpkeOpen, hpkeSeal } from '../src/hpke.ts';
import {
  box,
  createIdentity,
  type Identity,
  IdentityError,
  identityFromSeed,
  type PeerId,
  peerIdFromPublicKey,
} from '../src/index.ts';

const fromHex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const text = (value: string) => new TextEncoder().encode(value);
const invalid = expect.objectContaining({ code: 'INVALID_BOX' });

// RFC 9180 Appendix A.2: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305; sequence number 0.
const INFO = fromHex('4f6465206f6e2061204772656369616e2055726e');
const AAD = fromHex('436f756e742d30');
const PLAINTEXT = fromHex('4265617574792069732074727574682c20747275746820626561757479');

let alice: Identity;
let bob: Identity;

beforeAll(async () => {
  await ready();
  alice = identityFromSeed(new Uint8Array(32).fill(1));
  bob = identityFromSeed(new Uint8Array(32).fill(2));
});

describe('HPKE (RFC 9180 A.2)', () => {
  it('passes the Base vector A.2.1', () => {
    const ephemeral = hpkeDeriveKeyPair(
      fromHex('909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b'),
    );
    const recipient = hpkeDeriveKeyPair(
      fromHex('1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df'),
    );
    expect(toHex(recipient.publicKey)).toBe(
      '4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a',
    );
    const sealed = hpkeSeal({
      recipient: recipient.publicKey,
      info: INFO,
      plaintext: PLAINTEXT,
      aad: AAD,
      ephemeral,
    });
    expect(toHex(sealed)).toBe(
      '1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a' +
        '1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28',
    );
    expect(
      hpkeOpen({
        recipient,
        info: INFO,
        aad: AAD,
        encapsulatedKey: sealed.slice(0, 32),
        ciphertext: sealed.slice(32),
      }),
    ).toEqual(PLAINTEXT);
  });

  it('passes the Auth vector A.2.3', () => {
    const ephemeral = hpkeDeriveKeyPair(
      fromHex('938d3daa5a8904540bc24f48ae90eed3f4f7f11839560597b55e7c9598c996c0'),
    );
    const recipient = hpkeDeriveKeyPair(
      fromHex('64835d5ee64aa7aad57c6f2e4f758f7696617f8829e70bc9ac7a5ef95d1c756c'),
    );
    const sender = hpkeDeriveKeyPair(
      fromHex('9d8f94537d5a3ddef71234c0baedfad4ca6861634d0b94c3007fed557ad17df6'),
    );
    expect(toHex(recipient.publicKey)).toBe(
      '1a478716d63cb2e16786ee93004486dc151e988b34b475043d3e0175bdb01c44',
    );
    expect(toHex(sender.publicKey)).toBe('f0f4f9e96c54aeed3f323de8534fffd7e0577e4ce269896716bcb95643c8712b');
    const sealed = hpkeSeal({
      recipient: recipient.publicKey,
      info: INFO,
      plaintext: PLAINTEXT,
      aad: AAD,
      sender,
      ephemeral,
    });
    expect(toHex(sealed)).toBe(
      'f7674cc8cd7baa5872d1f33dbaffe3314239f6197ddf5ded1746760bfc847e0e' +
        'ab1a13c9d4f01a87ec3440dbd756e2677bd2ecf9df0ce7ed73869b98e00c09be111cb9fdf077347aeb88e61bdf',
    );
    const parts = { encapsulatedKey: sealed.slice(0, 32), ciphertext: sealed.slice(32) };
    expect(hpkeOpen({ recipient, info: INFO, aad: AAD, sender: sender.publicKey, ...parts })).toEqual(
      PLAINTEXT,
    );
    expect(() => hpkeOpen({ recipient, info: INFO, aad: AAD, ...parts })).toThrow();
  });
});

describe('box', () => {
  it('opens for its recipient, and says nothing about who sealed it', () => {
    const sealed = box(bob.peerId, text('hello'));
    expect(bob.open(sealed)).toEqual({ message: text('hello') });
    expect(sealed).toHaveLength(5 + 50);
    expect(() => alice.open(sealed)).toThrow(invalid);
  });

  it('proves its sender when a peer seals it, without showing it to others', () => {
    const sealed = alice.box(bob.peerId, text('hello'));
    expect(bob.open(sealed)).toEqual({ message: text('hello'), from: alice.peerId });
    expect(sealed).toHaveLength(5 + 130);
    expect(toHex(sealed)).not.toContain(toHex(alice.publicKey));
    expect(() => alice.open(sealed)).toThrow(invalid);
  });

  it('is a different ciphertext each time', () => {
    expect(box(bob.peerId, text('hello'))).not.toEqual(box(bob.peerId, text('hello')));
  });

  it('opens in the context it was sealed for only', () => {
    for (const sealed of [
      box(bob.peerId, text('x'), { context: 'app/v1' }),
      alice.box(bob.peerId, text('x'), { context: 'app/v1' }),
    ]) {
      expect(bob.open(sealed, { context: 'app/v1' }).message).toEqual(text('x'));
      expect(() => bob.open(sealed)).toThrow(invalid);
      expect(() => bob.open(sealed, { context: 'app/v2' })).toThrow(invalid);
    }
  });

  it('carries any message from empty to a megabyte', () => {
    for (const length of [0, 1, 16, 65_536, 1_048_576]) {
      const message = new Uint8Array(length).fill(7);
      expect(Buffer.from(message).equals(bob.open(alice.box(bob.peerId, message)).message)).toBe(true);
      expect(Buffer.from(message).equals(bob.open(box(bob.peerId, message)).message)).toBe(true);
    }
  });

  it('cannot be given another sender by the recipient of a box', () => {
    // Bob opens Alice's box and tries to pass her inner part to Carol as if it were for her.
    using carol = createIdentity();
    const stolen = alice.box(bob.peerId, text('pay carol'));
    const inner = bob.open(stolen);
    expect(inner.from).toBe(alice.peerId);
    const forged = box(carol.peerId, Uint8Array.of(...alice.publicKey, ...stolen.slice(1)));
    expect(carol.open(forged).from).toBeUndefined();
  });

  it('refuses any flipped bit, truncation or extension with one code', () => {
    const sealed = alice.box(bob.peerId, text('hello'));
    fc.assert(
      fc.property(fc.nat({ max: sealed.length * 8 - 1 }), (bit) => {
        const flipped = sealed.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        expect(() => bob.open(flipped)).toThrow(invalid);
      }),
    );
    for (const length of [0, 1, 33, 48, 49, sealed.length - 1]) {
      expect(() => bob.open(sealed.slice(0, length))).toThrow(invalid);
    }
    expect(() => bob.open(Uint8Array.of(...sealed, 0))).toThrow(invalid);
  });

  it('throws INVALID_BOX and nothing else for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const sealed of [bytes, Uint8Array.of(1, ...bytes), box(bob.peerId, bytes)]) {
          try {
            bob.open(sealed);
          } catch (error) {
            expect(error).toBeInstanceOf(IdentityError);
            expect((error as IdentityError).code).toBe('INVALID_BOX');
          }
        }
      }),
    );
  });

  it('is not addressed to a key that is no curve point or of small order', () => {
    const badKeys = [
      new Uint8Array(32),
      Uint8Array.of(1, ...new Uint8Array(31)),
      new Uint8Array(32).fill(0xff),
    ];
    for (const key of badKeys) {
      const recipient: PeerId = peerIdFromPublicKey(key);
      expect(() => box(recipient, text('x'))).toThrow(expect.objectContaining({ code: 'INVALID_PEER_ID' }));
      expect(() => alice.box(recipient, text('x'))).toThrow(
        expect.objectContaining({ code: 'INVALID_PEER_ID' }),
      );
    }
  });

  it('is refused by a disposed identity', () => {
    const identity = createIdentity();
    identity[Symbol.dispose]();
    const disposed = expect.objectContaining({ code: 'DISPOSED' });
    expect(() => identity.box(bob.peerId, text('x'))).toThrow(disposed);
    expect(() => identity.open(new Uint8Array(60))).toThrow(disposed);
  });
});
