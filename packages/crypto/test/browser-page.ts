import { CryptoError, createPrimitives, primitives, ready, SecretBytes } from '../src/index.ts';
import { decodeCanonical, encodeCanonical } from '../src/msgpack.ts';

/*
 * Runs in a browser, bundled: everything that the package offers there, on libsodium alone. Posts the list of what went
 * wrong.
 */
interface Vectors {
  readonly hash: readonly { hash: 'sha256' | 'sha512' | 'blake2b'; data: string; digest: string }[];
  readonly aead: readonly {
    cipher: 'chacha20poly1305' | 'xchacha20poly1305' | 'aes256gcm';
    key: string;
    nonce: string;
    ad: string;
    plaintext: string;
    sealed: string;
  }[];
  readonly ed25519: readonly { seed: string; message: string; publicKey: string; signature: string }[];
  readonly x25519: readonly { secretKey: string; theirPublicKey: string; sharedSecret: string }[];
  readonly argon2id: readonly {
    password: string;
    salt: string;
    memoryKiB: number;
    iterations: number;
    length: number;
    derived: string;
  }[];
}

const problems: string[] = [];

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

function expectHex(what: string, value: Uint8Array, expected: string): void {
  const hex = Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (hex !== expected) problems.push(`${what}: ${hex.slice(0, 16)} in place of ${expected.slice(0, 16)}`);
}

function expectCode(what: string, code: string, action: () => unknown): void {
  try {
    action();
    problems.push(`${what}: nothing thrown`);
  } catch (error) {
    if (!(error instanceof CryptoError) || error.code !== code) problems.push(`${what}: ${String(error)}`);
  }
}

async function check(vectors: Vectors): Promise<void> {
  expectCode('before ready', 'NOT_READY', () => primitives.sha256(new Uint8Array(1)));
  expectCode('the node backend', 'UNSUPPORTED', () => createPrimitives('node'));
  await ready();
  for (const { hash, data, digest } of vectors.hash) {
    expectHex(hash, primitives.createHash(hash).update(bytes(data)).digest(), digest);
  }
  for (const { cipher, key, nonce, ad, plaintext, sealed } of vectors.aead) {
    const aead = primitives[cipher];
    expectHex(cipher, aead.seal(bytes(key), bytes(nonce), bytes(plaintext), bytes(ad)), sealed);
    expectHex(cipher, aead.open(bytes(key), bytes(nonce), bytes(sealed), bytes(ad)), plaintext);
  }
  for (const { seed, message, publicKey, signature } of vectors.ed25519) {
    expectHex('ed25519', primitives.ed25519.sign(bytes(message), bytes(seed)), signature);
    const isValid = primitives.ed25519.verify(bytes(signature), bytes(message), bytes(publicKey));
    if (!isValid) problems.push('ed25519 refused a valid signature');
  }
  for (const { secretKey, theirPublicKey, sharedSecret } of vectors.x25519) {
    expectHex(
      'x25519',
      primitives.x25519.sharedSecret(bytes(secretKey), bytes(theirPublicKey)),
      sharedSecret,
    );
  }
  for (const { password, salt, derived, ...options } of vectors.argon2id) {
    expectHex(
      'argon2id',
      await primitives.argon2id(bytes(password), { salt: bytes(salt), ...options }),
      derived,
    );
  }
  const value = { list: [1, 'two', new Uint8Array([3])] };
  expectHex(
    'msgpack',
    encodeCanonical(decodeCanonical(encodeCanonical(value))),
    '81a46c6973749301a374776fc40103',
  );
  if (String(SecretBytes.from(new Uint8Array(1))) !== '[SecretBytes]')
    problems.push('SecretBytes printed itself');
}

await fetch('/vectors')
  .then(async (response) => check((await response.json()) as Vectors))
  .catch((error: unknown) => problems.push(String(error)));
await fetch('/result', { method: 'POST', body: JSON.stringify(problems) });
