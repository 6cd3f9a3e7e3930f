import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Aead, CryptoError, createPrimitives, type HashName, type Primitives } from '../src/index.ts';

const sodium = createPrimitives('sodium');
const others = [createPrimitives('node'), createPrimitives('auto')];
const CIPHERS = ['chacha20poly1305', 'xchacha20poly1305', 'aes256gcm'] as const;
const HASHES: readonly HashName[] = ['sha256', 'sha512', 'blake2b'];

// Lengths around the blocks of every algorithm and the sizes at which the selection changes.
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.uint8Array({ minLength: 1000, maxLength: 9000, size: 'max' }),
);
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

beforeAll(() => sodium.ready());

// Vitest compares arrays element by element: hexadecimal text is hundreds of times faster.
function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function sameOnEveryBackend(operation: (primitives: Primitives) => Uint8Array[]): void {
  const expected = operation(sodium).map(hex);
  for (const primitives of others) expect(operation(primitives).map(hex)).toEqual(expected);
}

describe('every backend gives the same bytes', () => {
  it.each(HASHES)('for %s: digest, HMAC, HKDF and incremental', (hash) => {
    fc.assert(
      fc.property(anyBytes, fc.uint8Array({ maxLength: 200 }), (data, key) => {
        sameOnEveryBackend((p) => [
          hash === 'blake2b' ? p.blake2b(data) : p[hash](data),
          p.hmac(hash, key, data),
          p.hkdf(hash, data, { salt: key, info: key, length: 131 }),
          p.createHash(hash).update(data).update(key).digest(),
        ]);
      }),
      { numRuns: 50 },
    );
  });

  it('for BLAKE2b of every length, keyed and not', () => {
    const length = fc.integer({ min: 16, max: 64 });
    const key = fc.option(fc.uint8Array({ minLength: 1, maxLength: 64 }), { nil: undefined });
    fc.assert(
      fc.property(anyBytes, length, key, (data, length, key) => {
        sameOnEveryBackend((p) => [p.blake2b(data, key === undefined ? { length } : { length, key })]);
      }),
      { numRuns: 50 },
    );
  });

  it('for Ed25519 and X25519', () => {
    fc.assert(
      fc.property(bytes32, bytes32, anyBytes, (seed, secret, message) => {
        sameOnEveryBackend((p) => {
          const { publicKey } = p.ed25519.keyPairFromSeed(seed);
          const signature = p.ed25519.sign(message, seed);
          expect(p.ed25519.verify(signature, message, publicKey)).toBe(true);
          const xPublic = p.x25519.publicKey(p.ed25519SecretKeyToX25519(seed));
          expect(p.ed25519PublicKeyToX25519(publicKey)).toEqual(xPublic);
          return [publicKey, signature, xPublic, p.x25519.sharedSecret(secret, xPublic)];
        });
      }),
      { numRuns: 25 },
    );
  });

  it.each(CIPHERS)('for %s: whole, in parts and in pieces', (name) => {
    fc.assert(
      fc.property(bytes32, anyBytes, anyBytes, fc.integer({ min: 1, max: 500 }), (key, data, ad, step) => {
        sameOnEveryBackend((p) => {
          const nonce = new Uint8Array(p[name].nonceLength).fill(step);
          const sealed = p[name].seal(key, nonce, data, ad);
          expect(hex(p[name].open(key, nonce, sealed, ad))).toBe(hex(data));
          expect(hex(sealInParts(p[name], { key, nonce, ad }, data, step))).toBe(hex(sealed));
          expect(hex(sealIntoPart(p[name], { key, nonce, ad }, data))).toBe(hex(sealed));
          expect(hex(openIntoItself(p[name], { key, nonce, ad }, sealed))).toBe(hex(data));
          expect(hex(openInPieces(p[name], { key, nonce, ad }, sealed, step))).toBe(hex(data));
          return [sealed];
        });
      }),
      { numRuns: 50 },
    );
  });
});

interface Inputs {
  key: Uint8Array;
  nonce: Uint8Array;
  ad: Uint8Array;
}

function sealIntoPart(aead: Aead, { key, nonce, ad }: Inputs, data: Uint8Array): Uint8Array {
  using imported = aead.importKey(key);
  const around = new Uint8Array(data.length + 16 + 7).fill(0xa5);
  const target = around.subarray(3, -4);
  imported.sealInto(target, nonce, data, ad);
  expect([...around.subarray(0, 3), ...around.subarray(-4)]).toEqual(Array(7).fill(0xa5));
  expect(() => imported.sealInto(target.subarray(1), nonce, data, ad)).toThrow(RangeError);
  expect(() => imported.sealInto(around, nonce, data, ad)).toThrow(RangeError);
  return target;
}

function openIntoItself(aead: Aead, { key, nonce, ad }: Inputs, sealed: Uint8Array): Uint8Array {
  using imported = aead.importKey(key);
  const own = new Uint8Array(sealed);
  const target = own.subarray(0, -16);
  own[own.length - 1]! ^= 1;
  expect(() => imported.openInto(target, nonce, own, ad)).toThrow(CryptoError);
  own[own.length - 1]! ^= 1;
  expect(hex(own)).toBe(hex(sealed));
  expect(() => imported.openInto(own, nonce, own, ad)).toThrow(RangeError);
  expect(() => imported.openInto(target, nonce, own.subarray(0, 15), ad)).toThrow(CryptoError);
  imported.openInto(target, nonce, own, ad);
  expect(hex(own.subarray(-16))).toBe(hex(sealed.subarray(-16)));
  return target;
}

function sealInParts(aead: Aead, { key, nonce, ad }: Inputs, data: Uint8Array, step: number): Uint8Array {
  using imported = aead.importKey(key);
  const headroom = step % 5;
  const chunks = imported.sealParts(nonce, [data.subarray(0, step), data.subarray(step)], ad, headroom);
  expect(chunks[0]!.length).toBeGreaterThanOrEqual(headroom);
  const wire = Buffer.concat(chunks);
  expect(wire.subarray(0, headroom)).toEqual(Buffer.alloc(headroom));
  return wire.subarray(headroom);
}

function openInPieces(aead: Aead, { key, nonce, ad }: Inputs, sealed: Uint8Array, step: number): Uint8Array {
  using imported = aead.importKey(key);
  const opener = imported.createOpener(nonce, ad);
  const end = sealed.length - aead.tagLength;
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < end; at += step) {
    pieces.push(opener.update(sealed.subarray(at, Math.min(end, at + step))));
  }
  opener.final(sealed.subarray(end));
  return Buffer.concat(pieces);
}

it('AES-256-GCM on libsodium opens a record that comes byte by byte', () => {
  const inputs = { key: new Uint8Array(32), nonce: new Uint8Array(12), ad: new Uint8Array(0) };
  const data = new Uint8Array(150_000).fill(7);
  const sealed = sodium.aes256gcm.seal(inputs.key, inputs.nonce, data);
  expect(Buffer.compare(openInPieces(sodium.aes256gcm, inputs, sealed, 1), data)).toBe(0);
}, 30_000);

describe.each([sodium, ...others])('AEAD on $backend', (primitives) => {
  it.each(CIPHERS)('%s refuses every changed bit with one code', (name) => {
    const aead = primitives[name];
    const key = new Uint8Array(32).fill(1);
    const nonce = new Uint8Array(aead.nonceLength);
    const sealed = aead.seal(key, nonce, new Uint8Array(20), new Uint8Array(3));
    for (let bit = 0; bit < 8 * sealed.length; bit++) {
      const changed = sealed.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => aead.open(key, nonce, changed, new Uint8Array(3))).toThrow(CryptoError);
    }
    expect(() => aead.open(key, nonce, sealed, new Uint8Array(4))).toThrow(
      expect.objectContaining({ code: 'AUTHENTICATION_FAILED' }),
    );
    expect(() => aead.open(key, nonce, sealed.subarray(0, 15), new Uint8Array(3))).toThrow(
      expect.objectContaining({ code: 'AUTHENTICATION_FAILED' }),
    );
  });
});
