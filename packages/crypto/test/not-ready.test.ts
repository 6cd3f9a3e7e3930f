import { expect, it } from 'vitest';
import { createPrimitives, primitives, ready } from '../src/index.ts';

// One test in a file of its own: modules are fresh for each file, and libsodium stays loaded once it is.
it('before ready() node:crypto does what it can, and the rest says what to do', async () => {
  const key = new Uint8Array(32);
  const nonce = new Uint8Array(24);
  const sodium = createPrimitives('sodium');
  const notReady = expect.objectContaining({
    code: 'NOT_READY',
    message: expect.stringContaining('await ready()'),
  });

  const early = [
    primitives.sha256(key),
    primitives.blake2b(key),
    primitives.hmac('blake2b', key, key),
    primitives.hkdf('sha512', key, { length: 99 }),
    primitives.ed25519.sign(key, key),
    primitives.x25519.publicKey(key),
    primitives.xchacha20poly1305.seal(key, nonce, key),
    primitives.createHash('blake2b').update(key).digest(),
    await primitives.argon2id(key, { salt: nonce.slice(8), memoryKiB: 8, iterations: 1, length: 16 }),
  ];
  expect(() => primitives.blake2b(key, { length: 32 })).toThrow(notReady);
  expect(() => primitives.blake2b(key, { key })).toThrow(notReady);
  expect(() => primitives.ed25519PublicKeyToX25519(key)).toThrow(notReady);
  expect(() => sodium.sha256(key)).toThrow(notReady);
  expect(() => sodium.chacha20poly1305.seal(key, nonce.slice(12), key)).toThrow(notReady);

  expect(() => sodium.aes256gcm.seal(key, nonce.slice(12), key)).toThrow(notReady);
  expect(() => sodium.aes256gcm.open(key, nonce.slice(12), key)).toThrow(notReady);

  await Promise.all([ready(), ready(), sodium.ready()]);
  const sealed = sodium.aes256gcm.seal(key, nonce.slice(12), key);
  expect(sealed).toEqual(primitives.aes256gcm.seal(key, nonce.slice(12), key));
  expect(sodium.sha256(key)).toEqual(early[0]);
  expect(primitives.blake2b(key)).toEqual(early[1]);
  expect(primitives.blake2b(key, { length: 32 })).toHaveLength(32);
});
