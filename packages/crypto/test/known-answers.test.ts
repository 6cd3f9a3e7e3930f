import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { primitiveVectors } from '../scripts/primitive-vectors.ts';
import { type BackendName, createPrimitives, type HashName } from '../src/index.ts';

interface Vectors {
  hash: { hash: HashName; data: string; digest: string }[];
  blake2b: { length: number; key: string; data: string; digest: string }[];
  hmac: { hash: HashName; key: string; data: string; mac: string }[];
  hkdf: { hash: HashName; ikm: string; salt: string; info: string; length: number; okm: string }[];
  aead: {
    cipher: 'chacha20poly1305' | 'xchacha20poly1305' | 'aes256gcm';
    key: string;
    nonce: string;
    ad: string;
    plaintext: string;
    sealed: string;
  }[];
  ed25519: {
    seed: string;
    message: string;
    publicKey: string;
    signature: string;
    x25519PublicKey: string;
    x25519SecretKey: string;
  }[];
  x25519: { secretKey: string; publicKey: string; theirPublicKey: string; sharedSecret: string }[];
  scrypt: {
    password: string;
    salt: string;
    N: number;
    r: number;
    p: number;
    length: number;
    derived: string;
  }[];
  argon2id: {
    password: string;
    salt: string;
    memoryKiB: number;
    iterations: number;
    length: number;
    derived: string;
  }[];
}

const BACKENDS: readonly BackendName[] = ['auto', 'sodium', 'node'];
const file = new URL('../../../spec/vectors/primitives.json', import.meta.url);
const vectors = JSON.parse(await readFile(file, 'utf8')) as Vectors;

beforeAll(() => createPrimitives('sodium').ready());

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

function hex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex');
}

it('spec/vectors/primitives.json is what the generator writes', () => {
  expect(vectors).toEqual(primitiveVectors());
});

describe.each(BACKENDS)('the known answers of spec/vectors/primitives.json on %s', (backend) => {
  const p = createPrimitives(backend);

  it('hashes', () => {
    for (const { hash, data, digest } of vectors.hash) {
      const whole = hash === 'blake2b' ? p.blake2b(bytes(data)) : p[hash](bytes(data));
      expect(hex(whole)).toBe(digest);
      expect(hex(p.createHash(hash).update(bytes(data)).digest())).toBe(digest);
    }
    for (const { length, key, data, digest } of vectors.blake2b) {
      const options = key === '' ? { length } : { length, key: bytes(key) };
      expect(hex(p.blake2b(bytes(data), options))).toBe(digest);
    }
  });

  it('HMAC and HKDF', () => {
    for (const { hash, key, data, mac } of vectors.hmac) {
      expect(hex(p.hmac(hash, bytes(key), bytes(data)))).toBe(mac);
    }
    for (const { hash, ikm, salt, info, length, okm } of vectors.hkdf) {
      expect(hex(p.hkdf(hash, bytes(ikm), { salt: bytes(salt), info: bytes(info), length }))).toBe(okm);
    }
  });

  it('AEADs', () => {
    for (const { cipher, key, nonce, ad, plaintext, sealed } of vectors.aead) {
      expect(hex(p[cipher].seal(bytes(key), bytes(nonce), bytes(plaintext), bytes(ad)))).toBe(sealed);
      expect(hex(p[cipher].open(bytes(key), bytes(nonce), bytes(sealed), bytes(ad)))).toBe(plaintext);
    }
  });

  it('Ed25519 and X25519', () => {
    for (const vector of vectors.ed25519) {
      const { publicKey, secretKey } = p.ed25519.keyPairFromSeed(bytes(vector.seed));
      expect(hex(publicKey)).toBe(vector.publicKey);
      expect(hex(p.ed25519.sign(bytes(vector.message), secretKey))).toBe(vector.signature);
      expect(hex(p.ed25519PublicKeyToX25519(publicKey))).toBe(vector.x25519PublicKey);
      expect(hex(p.ed25519SecretKeyToX25519(secretKey))).toBe(vector.x25519SecretKey);
    }
    for (const { secretKey, publicKey, theirPublicKey, sharedSecret } of vectors.x25519) {
      expect(hex(p.x25519.publicKey(bytes(secretKey)))).toBe(publicKey);
      expect(hex(p.x25519.sharedSecret(bytes(secretKey), bytes(theirPublicKey)))).toBe(sharedSecret);
    }
  });

  it('scrypt and Argon2id', async () => {
    for (const { password, salt, derived, ...parameters } of vectors.scrypt) {
      expect(hex(await p.scrypt(bytes(password), { salt: bytes(salt), ...parameters }))).toBe(derived);
    }
    for (const { password, salt, derived, ...parameters } of vectors.argon2id) {
      expect(hex(await p.argon2id(bytes(password), { salt: bytes(salt), ...parameters }))).toBe(derived);
    }
  });
});
