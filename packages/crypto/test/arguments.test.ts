import { describe, expect, it } from 'vitest';
import { createPrimitives, equalBytes, type HashName, randomBytes, wipe } from '../src/index.ts';

const text = 'text' as unknown as Uint8Array;
const none = undefined as unknown as Uint8Array;
const short = new Uint8Array(31);
const key = new Uint8Array(32);
const nonce = new Uint8Array(12);
await createPrimitives('sodium').ready();

describe.each(['auto', 'sodium', 'node'] as const)('wrong arguments on %s', (backend) => {
  const p = createPrimitives(backend);

  it.each<[string, () => unknown]>([
    ['sha256 of text', () => p.sha256(text)],
    ['sha512 of nothing', () => p.sha512(none)],
    ['blake2b of an array', () => p.blake2b([1] as unknown as Uint8Array)],
    ['a blake2b key that is text', () => p.blake2b(key, { key: text })],
    ['a fractional blake2b length', () => p.blake2b(key, { length: 16.5 })],
    ['an unknown hash', () => p.hmac('md5' as HashName, key, key)],
    ['a hash named like a method', () => p.createHash('toString' as HashName)],
    ['a HMAC key that is text', () => p.hmac('sha256', text, key)],
    ['a salt that is text', () => p.hkdf('sha256', key, { salt: text, length: 1 })],
    ['an info that is text', () => p.hkdf('sha256', key, { info: text, length: 1 })],
    ['update with text', () => p.createHash('sha256').update(text)],
    ['a message that is text', () => p.ed25519.sign(text, key)],
    ['verify of a text signature', () => p.ed25519.verify(text, key, key)],
    ['verify of a text message', () => p.ed25519.verify(new Uint8Array(64), text, key)],
    ['an AEAD key that is text', () => p.aes256gcm.seal(text, nonce, key)],
    ['a nonce that is text', () => p.aes256gcm.seal(key, text, key)],
    ['a plaintext that is text', () => p.aes256gcm.seal(key, nonce, text)],
    ['associated data that is text', () => p.aes256gcm.seal(key, nonce, key, text)],
    ['a part that is text', () => p.aes256gcm.importKey(key).sealParts(nonce, [text])],
    ['a target that is text', () => p.aes256gcm.importKey(key).sealInto(text, nonce, new Uint8Array(0))],
    ['digest twice', () => digestTwice()],
    ['update after final', () => updateAfterFinal()],
  ])('%s is a TypeError', (_name, action) => {
    expect(action).toThrow(TypeError);
  });

  it.each<[string, () => unknown]>([
    ['a short BLAKE2b', () => p.blake2b(key, { length: 15 })],
    ['a long BLAKE2b', () => p.blake2b(key, { length: 65 })],
    ['an empty BLAKE2b key', () => p.blake2b(key, { key: new Uint8Array(0) })],
    ['a long BLAKE2b key', () => p.blake2b(key, { key: new Uint8Array(65) })],
    ['HKDF of nothing', () => p.hkdf('sha256', key, { length: 0 })],
    ['HKDF beyond 255 blocks', () => p.hkdf('sha256', key, { length: 255 * 32 + 1 })],
    ['a short seed', () => p.ed25519.keyPairFromSeed(short)],
    ['signing with a short seed', () => p.ed25519.sign(key, short)],
    ['a short X25519 secret', () => p.x25519.publicKey(short)],
    ['agreement with a short secret', () => p.x25519.sharedSecret(short, key)],
    ['agreement with a short key', () => p.x25519.sharedSecret(key, short)],
    ['a short Ed25519 key to convert', () => p.ed25519PublicKeyToX25519(short)],
    ['a short Ed25519 seed to convert', () => p.ed25519SecretKeyToX25519(short)],
    ['a short AEAD key', () => p.chacha20poly1305.importKey(short)],
    ['a long AEAD key', () => p.chacha20poly1305.seal(new Uint8Array(33), nonce, key)],
    ['a short nonce', () => p.chacha20poly1305.seal(key, new Uint8Array(11), key)],
    ['a long nonce', () => p.chacha20poly1305.open(key, new Uint8Array(24), key)],
    ['the short nonce for XChaCha20', () => p.xchacha20poly1305.seal(key, nonce, key)],
    ['a 16-byte nonce for AES-GCM', () => p.aes256gcm.seal(key, new Uint8Array(16), key)],
    ['a short tag', () => p.aes256gcm.importKey(key).createOpener(nonce).final(new Uint8Array(4))],
    ['negative headroom', () => p.aes256gcm.importKey(key).sealParts(nonce, [], key, -1)],
  ])('%s is a RangeError', (_name, action) => {
    expect(action).toThrow(RangeError);
  });

  function digestTwice(): void {
    const hash = p.createHash('sha256');
    hash.digest();
    hash.digest();
  }

  function updateAfterFinal(): void {
    const imported = p.chacha20poly1305.importKey(key);
    const sealed = imported.seal(nonce, new Uint8Array(0));
    const opener = imported.createOpener(nonce);
    opener.final(sealed);
    opener.update(key);
  }
});

describe('bytes', () => {
  it('are compared by content and length', () => {
    expect(equalBytes(new Uint8Array([1, 2]), new Uint8Array([1, 2]))).toBe(true);
    expect(equalBytes(new Uint8Array([1, 2]), new Uint8Array([1, 3]))).toBe(false);
    expect(equalBytes(new Uint8Array([1, 2]), new Uint8Array([1, 2, 0]))).toBe(false);
    expect(() => equalBytes(text, key)).toThrow(TypeError);
  });

  it('are random in any number, also above what one call of Web Crypto gives', () => {
    expect(randomBytes(0)).toHaveLength(0);
    const many = randomBytes(200_000);
    expect(new Set(many.subarray(150_000))).toHaveProperty('size', 256);
    expect(() => randomBytes(-1)).toThrow(RangeError);
    expect(() => randomBytes(1.5)).toThrow(TypeError);
  });

  it('are wiped, several at once', () => {
    const both = [new Uint8Array([1]), new Uint8Array([2, 3])] as const;
    wipe(...both);
    expect(both.flatMap((bytes) => [...bytes])).toEqual([0, 0, 0]);
  });
});
