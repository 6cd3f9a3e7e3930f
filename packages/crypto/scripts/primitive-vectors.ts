import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305, xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { argon2id } from '@noble/hashes/argon2.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { scrypt } from '@noble/hashes/scrypt.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';

/*
 * Known answers for every primitive, made by @noble, which shares no code with either backend. All values are
 * hexadecimal text but sizes and counts. `pnpm --filter @nzcore/crypto vectors:generate` writes them to spec/vectors/primitives.json.
 */
const HASHES = { sha256, sha512, blake2b } as const;
const HASH_NAMES = ['sha256', 'sha512', 'blake2b'] as const;

// Around the blocks of 64 and 128 bytes and their padding.
const LENGTHS = [0, 1, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 300];
const AEAD_LENGTHS = [0, 1, 15, 16, 17, 63, 64, 65, 300, 2000];

/** Bytes that do not repeat early: 7i + seed, modulo 251. */
function sample(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (7 * i + seed) % 251);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function hashVectors(): object[] {
  return HASH_NAMES.flatMap((hash) =>
    LENGTHS.map((length) => ({ hash, data: hex(sample(length)), digest: hex(HASHES[hash](sample(length))) })),
  );
}

function blake2bVectors(): object[] {
  return [16, 20, 32, 48, 64].flatMap((length) =>
    [0, 1, 32, 64].map((keyLength) => {
      const data = sample(3 * length);
      const key = sample(keyLength, 9);
      const digest = blake2b(data, { dkLen: length, ...(keyLength > 0 && { key }) });
      return { length, key: hex(key), data: hex(data), digest: hex(digest) };
    }),
  );
}

function hmacVectors(): object[] {
  return HASH_NAMES.flatMap((hash) =>
    [0, 20, 32, 64, 65, 128, 129, 200].map((keyLength) => {
      const [key, data] = [sample(keyLength, 5), sample(keyLength + 77)];
      return { hash, key: hex(key), data: hex(data), mac: hex(hmac(HASHES[hash], key, data)) };
    }),
  );
}

function hkdfVectors(): object[] {
  return HASH_NAMES.flatMap((hash) =>
    [1, 31, 32, 33, 64, 65, 200].map((length) => {
      const [ikm, salt, info] = [sample(32, 3), sample(length % 70, 4), sample(length % 50, 5)];
      const okm = hkdf(HASHES[hash], ikm, salt, info, length);
      return { hash, ikm: hex(ikm), salt: hex(salt), info: hex(info), length, okm: hex(okm) };
    }),
  );
}

function aeadVectors(): object[] {
  const ciphers = { chacha20poly1305, xchacha20poly1305, aes256gcm: gcm } as const;
  return (['chacha20poly1305', 'xchacha20poly1305', 'aes256gcm'] as const).flatMap((cipher) =>
    AEAD_LENGTHS.map((length) => {
      const key = sample(32, length);
      const nonce = sample(cipher === 'xchacha20poly1305' ? 24 : 12, length + 1);
      const [ad, plaintext] = [sample(length % 40, 2), sample(length)];
      const sealed = ciphers[cipher](key, nonce, ad).encrypt(plaintext);
      return {
        cipher,
        key: hex(key),
        nonce: hex(nonce),
        ad: hex(ad),
        plaintext: hex(plaintext),
        sealed: hex(sealed),
      };
    }),
  );
}

function ed25519Vectors(): object[] {
  return [0, 1, 64, 300].map((length) => {
    const [seed, message] = [sample(32, length), sample(length)];
    const publicKey = ed25519.getPublicKey(seed);
    return {
      seed: hex(seed),
      message: hex(message),
      publicKey: hex(publicKey),
      signature: hex(ed25519.sign(message, seed)),
      x25519PublicKey: hex(ed25519.utils.toMontgomery(publicKey)),
      x25519SecretKey: hex(ed25519.utils.toMontgomerySecret(seed)),
    };
  });
}

function x25519Vectors(): object[] {
  return [1, 2, 3, 4].map((seed) => {
    const [secretKey, theirs] = [sample(32, seed), x25519.getPublicKey(sample(32, seed + 100))];
    return {
      secretKey: hex(secretKey),
      publicKey: hex(x25519.getPublicKey(secretKey)),
      theirPublicKey: hex(theirs),
      sharedSecret: hex(x25519.getSharedSecret(secretKey, theirs)),
    };
  });
}

function scryptVectors(): object[] {
  return [
    { N: 16, r: 1, p: 1, length: 16 },
    { N: 1024, r: 8, p: 2, length: 64 },
    { N: 4096, r: 4, p: 1, length: 33 },
  ].map((parameters) => {
    const [password, salt] = [sample(parameters.r, 6), sample(16, 7)];
    const derived = scrypt(password, salt, { ...parameters, dkLen: parameters.length });
    return { password: hex(password), salt: hex(salt), ...parameters, derived: hex(derived) };
  });
}

function argon2idVectors(): object[] {
  return [
    { memoryKiB: 8, iterations: 1, length: 16 },
    { memoryKiB: 64, iterations: 3, length: 32 },
    { memoryKiB: 256, iterations: 2, length: 100 },
  ].map((parameters) => {
    const [password, salt] = [sample(parameters.iterations * 10, 6), sample(16, 7)];
    const options = { m: parameters.memoryKiB, t: parameters.iterations, p: 1, dkLen: parameters.length };
    const derived = argon2id(password, salt, options);
    return { password: hex(password), salt: hex(salt), ...parameters, derived: hex(derived) };
  });
}

/** The content of spec/vectors/primitives.json. */
export function primitiveVectors(): Record<string, object[]> {
  return {
    hash: hashVectors(),
    blake2b: blake2bVectors(),
    hmac: hmacVectors(),
    hkdf: hkdfVectors(),
    aead: aeadVectors(),
    ed25519: ed25519Vectors(),
    x25519: x25519Vectors(),
    scrypt: scryptVectors(),
    argon2id: argon2idVectors(),
  };
}
