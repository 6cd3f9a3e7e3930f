import { beforeAll, describe, expect, it } from 'vitest';
import { createPrimitives, SecretBytes } from '../src/index.ts';
import { decodeCanonical, decodeUntrusted, encodeCanonical } from '../src/msgpack.ts';

// A Buffer is a Uint8Array, but its slice() is a view, and a small one is a part of a pool that others use.
function pooled(bytes: Uint8Array): Buffer {
  const buffer = Buffer.from(bytes);
  expect(buffer.buffer.byteLength).toBeGreaterThan(buffer.length);
  return buffer;
}

function isOwnPlainMemory(bytes: Uint8Array): boolean {
  return Object.getPrototypeOf(bytes) === Uint8Array.prototype && bytes.buffer.byteLength === bytes.length;
}

beforeAll(() => createPrimitives('sodium').ready());

describe.each(['auto', 'sodium', 'node'] as const)('pooled Buffers as arguments on %s', (backend) => {
  const p = createPrimitives(backend);
  const plain = (length: number, first: number): Uint8Array =>
    Uint8Array.from({ length }, (_, i) => (first + 3 * i) & 255);

  it('give what plain arrays give, in plain memory, and are not changed', () => {
    const inputs = { key: plain(32, 1), data: plain(100, 9), nonce: plain(12, 3), long: plain(24, 4) };
    const { publicKey } = p.ed25519.keyPairFromSeed(inputs.key);
    const xPublic = p.x25519.publicKey(inputs.data.subarray(0, 32));
    const run = (copy: (bytes: Uint8Array) => Uint8Array): Uint8Array[] => {
      const given = [inputs.key, inputs.data, inputs.nonce, inputs.long, publicKey, xPublic].map(copy);
      const before = given.map((bytes) => Buffer.from(bytes).toString('hex'));
      const [key, data, nonce, long, ed, x] = given as Uint8Array[] & { length: 6 };
      const imported = p.aes256gcm.importKey(key!);
      const signature = p.ed25519.sign(data!, key!);
      expect(p.ed25519.verify(copy(signature), data!, ed!)).toBe(true);
      const sealed = p.chacha20poly1305.seal(key!, nonce!, data!, long);
      const results = [
        p.sha256(data!),
        p.blake2b(data!, { key: key!, length: 20 }),
        p.hmac('sha512', key!, data!),
        p.hkdf('blake2b', key!, { salt: nonce!, info: data!, length: 99 }),
        p.createHash('sha256').update(data!).digest(),
        p.ed25519.keyPairFromSeed(key!).secretKey,
        signature,
        p.x25519.sharedSecret(key!, x!),
        p.ed25519PublicKeyToX25519(ed!),
        p.ed25519SecretKeyToX25519(key!),
        sealed,
        p.chacha20poly1305.open(key!, nonce!, copy(sealed), long),
        p.xchacha20poly1305.seal(key!, long!, data!),
        ...imported.sealParts(nonce!, [data!, long!], nonce!),
      ];
      expect(given.map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual(before);
      return results;
    };
    const results = run(pooled);
    expect(results.filter((bytes) => !isOwnPlainMemory(bytes))).toEqual([]);
    expect(results).toEqual(run((bytes) => bytes));
  });

  it('that are small sealed parts never meet in the memory that they share, even when somebody transfers it', () => {
    const key = p.chacha20poly1305.importKey(plain(32, 7));
    const nonce = new Uint8Array(12);
    const seal = (index: number) => key.sealParts(nonce, [plain(index % 400, index)], nonce, 5)[0]!;
    const sealed = Array.from({ length: 300 }, (_, index) => seal(index));
    structuredClone(null, { transfer: [seal(0).buffer as ArrayBuffer] });
    sealed.push(seal(300));
    const kept = sealed.map((bytes, index) => [bytes, index] as const).filter(([bytes]) => bytes.length > 0);
    expect(kept.length).toBeGreaterThan(100);
    for (const [bytes, index] of kept)
      expect(key.open(nonce, bytes.subarray(5), nonce)).toEqual(plain(index % 400, index));
  });

  it('keep the sign bit of a public key that is verified', () => {
    for (let first = 0; first < 8; first++) {
      const { publicKey, secretKey } = p.ed25519.keyPairFromSeed(plain(32, first));
      const signature = p.ed25519.sign(publicKey, secretKey);
      const [key, message] = [pooled(publicKey), pooled(publicKey)];
      expect(p.ed25519.verify(pooled(signature), message, key)).toBe(true);
      expect(Buffer.compare(key, publicKey)).toBe(0);
    }
  });

  it('are copied by importKey, in both directions', () => {
    const bytes = pooled(plain(32, 7));
    const key = p.chacha20poly1305.importKey(bytes);
    const expected = key.seal(new Uint8Array(12), bytes);
    bytes.fill(0);
    expect(key.seal(new Uint8Array(12), plain(32, 7))).toEqual(expected);
    bytes.fill(5);
    key.dispose();
    expect(bytes.every((byte) => byte === 5)).toBe(true);
  });

  it('are still there after password hashing', async () => {
    const [password, salt] = [pooled(plain(10, 2)), pooled(plain(16, 3))];
    const scrypt = { salt, N: 16, r: 1, p: 1, length: 16 };
    const argon2 = { salt, memoryKiB: 8, iterations: 1, length: 16 };
    const derived = [await p.scrypt(password, scrypt), await p.argon2id(password, argon2)];
    expect(derived).toEqual([
      await p.scrypt(plain(10, 2), { ...scrypt, salt: plain(16, 3) }),
      await p.argon2id(plain(10, 2), { ...argon2, salt: plain(16, 3) }),
    ]);
    expect(derived.every(isOwnPlainMemory)).toBe(true);
    expect(Buffer.compare(password, plain(10, 2))).toBe(0);
  });
});

describe('pooled Buffers elsewhere', () => {
  it('are copied and zeroed by SecretBytes', () => {
    const given = pooled(new Uint8Array([1, 2, 3]));
    const secret = SecretBytes.from(given);
    expect([...given]).toEqual([0, 0, 0]);
    expect(secret.use((bytes) => [...bytes])).toEqual([1, 2, 3]);
    const clone = secret.clone();
    secret.dispose();
    expect(clone.use((bytes) => [...bytes])).toEqual([1, 2, 3]);
  });

  it('are not shared with what the decoders answer', () => {
    const encoded = pooled(encodeCanonical([new Uint8Array([1, 2, 3]), 'a']));
    const [first] = decodeCanonical(encoded) as [Uint8Array];
    const [second] = decodeUntrusted(encoded) as [Uint8Array];
    encoded.fill(0);
    expect(first).toEqual(new Uint8Array([1, 2, 3]));
    expect(isOwnPlainMemory(first)).toBe(true);
    expect(Object.getPrototypeOf(second)).toBe(Uint8Array.prototype);
  });
});
