import crypto from 'node:crypto';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type BackendName, createPrimitives, wipe } from '../src/index.ts';
import { sodium } from '../src/sodium/library.ts';

const BACKENDS: readonly BackendName[] = ['auto', 'sodium', 'node'];
const CIPHERS = ['chacha20poly1305', 'xchacha20poly1305', 'aes256gcm'] as const;
const message = new Uint8Array(5);

beforeAll(() => createPrimitives('sodium').ready());

describe('the import of keys', () => {
  const { x25519 } = createPrimitives('node');
  const agree = (): Uint8Array => x25519.sharedSecret(x25519.generateKeyPair().secretKey, fresh());
  const fresh = (): Uint8Array => x25519.generateKeyPair().publicKey;

  it('leaves the length of stack traces as it found it', () => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 7;
    try {
      agree();
      expect(Error.stackTraceLimit).toBe(7);
    } finally {
      Error.stackTraceLimit = limit;
    }
  });

  it('works where that length cannot be changed', () => {
    const property = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')!;
    Object.defineProperty(Error, 'stackTraceLimit', { writable: false });
    try {
      expect(agree()).toHaveLength(32);
    } finally {
      Object.defineProperty(Error, 'stackTraceLimit', property);
    }
  });
});

it('are imported to verify when they are met again, with the same verdicts before and after', () => {
  const { ed25519 } = createPrimitives('auto');
  const { publicKey, secretKey } = createPrimitives('sodium').ed25519.generateKeyPair();
  const signature = ed25519.sign(message, secretKey);
  const other = signature.slice();
  other[3]! ^= 1;
  const imports = vi.spyOn(crypto, 'createPublicKey');
  try {
    expect(ed25519.verify(other, message, publicKey)).toBe(false);
    expect(imports).toHaveBeenCalledTimes(0);
    const verdicts = [signature, other, signature].map((one) => ed25519.verify(one, message, publicKey));
    expect(verdicts).toEqual([true, false, true]);
    expect(imports).toHaveBeenCalledTimes(1);
    const long = new Uint8Array(5_000);
    const stranger = createPrimitives('sodium').ed25519.generateKeyPair();
    expect(ed25519.verify(ed25519.sign(long, stranger.secretKey), long, stranger.publicKey)).toBe(true);
    expect(imports).toHaveBeenCalledTimes(2);
  } finally {
    imports.mockRestore();
  }
});

describe.each(BACKENDS)('keys on %s', (backend) => {
  const { ed25519, x25519, ...primitives } = createPrimitives(backend);

  it('are what the array holds now, not what it held when it was imported', () => {
    const seed = new Uint8Array(32).fill(1);
    const first = ed25519.sign(message, seed);
    seed.fill(2);
    const { publicKey } = ed25519.keyPairFromSeed(new Uint8Array(32).fill(2));
    expect(ed25519.verify(ed25519.sign(message, seed), message, publicKey)).toBe(true);
    seed.fill(1);
    expect(ed25519.sign(message, seed)).toEqual(first);
    // The same bytes are another key on the other curve.
    const secret = x25519.publicKey(seed);
    expect(x25519.sharedSecret(seed, secret)).toEqual(
      x25519.sharedSecret(new Uint8Array(32).fill(1), secret),
    );
  });

  it('are zero after wipe, and nothing imported before is used', () => {
    const { secretKey, publicKey } = ed25519.generateKeyPair();
    ed25519.sign(message, secretKey);
    wipe(secretKey);
    expect(secretKey).toEqual(new Uint8Array(32));
    expect(ed25519.verify(ed25519.sign(message, secretKey), message, publicKey)).toBe(false);
  });

  it('may be of more peers than are remembered', () => {
    const { secretKey } = x25519.generateKeyPair();
    const theirs = x25519.publicKey(new Uint8Array(32).fill(3));
    const expected = x25519.sharedSecret(secretKey, theirs);
    for (let i = 0; i < 1100; i++) {
      const other = new Uint8Array(32).fill(9);
      new DataView(other.buffer).setUint32(0, i);
      ed25519.verify(new Uint8Array(64).fill(3), message, other);
      if (i % 10 === 0) x25519.sharedSecret(secretKey, other);
    }
    expect(x25519.sharedSecret(secretKey, theirs)).toEqual(expected);
  });

  it.each([
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ])('of X25519 with the small order point %s are refused', (hex) => {
    const publicKey = Uint8Array.from(Buffer.from(hex, 'hex'));
    expect(() => x25519.sharedSecret(new Uint8Array(32).fill(1), publicKey)).toThrow(
      expect.objectContaining({ name: 'CryptoError', code: 'INVALID_KEY' }),
    );
  });

  it('of Ed25519 that are no points of the group have no X25519 form', () => {
    for (const first of [0, 1, 2]) {
      const publicKey = new Uint8Array(32);
      publicKey[0] = first;
      expect(() => primitives.ed25519PublicKeyToX25519(publicKey)).toThrow(
        expect.objectContaining({ code: 'INVALID_KEY' }),
      );
    }
  });

  it.each(CIPHERS)('of %s are copied on import and refuse use after dispose', (name) => {
    const aead = primitives[name];
    const bytes = new Uint8Array(32).fill(7);
    const nonce = new Uint8Array(aead.nonceLength);
    const expected = aead.seal(bytes, nonce, message);
    const key = aead.importKey(bytes);
    bytes.fill(0);
    expect(key.seal(nonce, message)).toEqual(expected);
    key.dispose();
    key.dispose();
    const disposed = expect.objectContaining({ name: 'CryptoError', code: 'DISPOSED' });
    expect(() => key.seal(nonce, message)).toThrow(disposed);
    expect(() => key.sealInto(new Uint8Array(21), nonce, message)).toThrow(disposed);
    expect(() => key.open(nonce, expected)).toThrow(disposed);
    expect(() => key.openInto(new Uint8Array(expected.length - 16), nonce, expected)).toThrow(disposed);
    expect(() => key.sealParts(nonce, [message])).toThrow(disposed);
    expect(() => key.createOpener(nonce)).toThrow(disposed);
  });

  it.each(CIPHERS)('of %s are never changed, nor are nonce, message and associated data', (name) => {
    const aead = primitives[name];
    const inputs = [32, aead.nonceLength, 100, 20].map((length) => new Uint8Array(length).fill(5));
    const [key, nonce, plaintext, ad] = inputs as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const sealed = aead.seal(key, nonce, plaintext, ad);
    const copy = sealed.slice();
    aead.open(key, nonce, sealed, ad);
    expect(sealed).toEqual(copy);
    for (const input of inputs) expect(input.every((byte) => byte === 5)).toBe(true);
  });
});

describe('memory', () => {
  const backends = BACKENDS.map(createPrimitives);

  it('of results is their own: no result is a view of a larger buffer', () => {
    const key = new Uint8Array(32).fill(1);
    for (const p of backends) {
      const imported = p.chacha20poly1305.importKey(key);
      const sealed = imported.seal(new Uint8Array(12), message);
      const results = [
        p.randomBytes(8),
        p.sha256(message),
        p.blake2b(message),
        p.hmac('sha256', key, message),
        p.hkdf('sha256', key, { length: 20 }),
        p.createHash('sha512').update(message).digest(),
        p.ed25519.sign(message, key),
        p.ed25519.keyPairFromSeed(key).publicKey,
        p.x25519.generateKeyPair().secretKey,
        p.x25519.sharedSecret(key, p.x25519.publicKey(key)),
        sealed,
        imported.open(new Uint8Array(12), sealed),
        ...imported.sealParts(new Uint8Array(12), [message, new Uint8Array(20_000)]),
        imported.createOpener(new Uint8Array(12)).update(message),
      ];
      for (const result of results) {
        expect(result.buffer.byteLength).toBe(result.length);
        expect(Object.getPrototypeOf(result)).toBe(Uint8Array.prototype);
      }
    }
  });

  it('of libsodium may grow during a call', () => {
    const [, p] = backends;
    const key = p!.chacha20poly1305.importKey(new Uint8Array(32));
    const before = sodium().HEAPU8.length;
    const large = new Uint8Array(before + 1).fill(3);
    const sealed = key.seal(new Uint8Array(12), large);
    expect(sodium().HEAPU8.length).toBeGreaterThan(before);
    expect(Buffer.compare(key.open(new Uint8Array(12), sealed), large)).toBe(0);
  });

  it('of libsodium keeps no key, seed or plaintext after a call', () => {
    const [, p] = backends;
    const pattern = (first: number): Uint8Array =>
      Uint8Array.from({ length: 32 }, (_, i) => (first + 37 * i) & 255);
    const [key, seed, secret, plaintext] = [pattern(3), pattern(90), pattern(121), pattern(200)];
    const sealed = p!.xchacha20poly1305.seal(key, new Uint8Array(24), plaintext);
    p!.xchacha20poly1305.open(key, new Uint8Array(24), sealed);
    const imported = p!.chacha20poly1305.importKey(key);
    const opener = imported.createOpener(new Uint8Array(12));
    opener.update(sealed);
    expect(() => opener.final(new Uint8Array(16))).toThrow();
    p!.ed25519.sign(plaintext, seed);
    p!.x25519.sharedSecret(secret, p!.x25519.publicKey(seed));
    const derived = p!.hkdf('sha512', key, { salt: seed, info: plaintext, length: 64 });
    const mac = p!.hmac('blake2b', seed, plaintext);
    p!.hmac('blake2b', key, plaintext);
    p!.blake2b(plaintext, { key });
    p!.createHash('blake2b').update(plaintext).digest();
    const memory = Buffer.from(sodium().HEAPU8);
    for (const value of [key, seed, secret, plaintext, derived, mac]) expect(memory.indexOf(value)).toBe(-1);
  });
});
