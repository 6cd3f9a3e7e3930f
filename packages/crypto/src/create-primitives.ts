import { createAead } from './aead.ts';
import { HASH_LENGTH } from './backend.ts';
import { assertBytes, assertData, assertLength, EMPTY, equalBytes, randomBytes } from './bytes.ts';
import { createEd25519, createX25519 } from './curves.ts';
import { CryptoError } from './errors.ts';
import { hkdf } from './hkdf.ts';
import { forgetPrivateKey } from './node/key-objects.ts';
import { createPasswordHashing } from './password.ts';
import type { BackendName, HashName, IncrementalHash, Primitives } from './primitives.ts';
import { type Selection, selectBackends, usesNodeCrypto } from './selection.ts';
import { loadAes } from './sodium/aes-gcm.ts';
import { publicKeyToX25519 } from './sodium/curve.ts';
import { loadSodium } from './sodium/library.ts';

type Hashing = Pick<Primitives, 'sha256' | 'sha512' | 'blake2b' | 'hmac' | 'hkdf' | 'createHash'>;

/**
 * Every operation on one backend; `auto` is what the exports of the package use, the others are for tests.
 * @throws {@link CryptoError} `UNSUPPORTED` for `node` where there is no node:crypto
 */
export function createPrimitives(name: BackendName): Primitives {
  const selection = selectBackends(name);
  const hashing = createHashing(selection);
  return {
    backend: name,
    ready: usesNodeCrypto(name) ? loadSodium : loadPortable,
    randomBytes,
    equalBytes,
    wipe,
    ...hashing,
    ed25519: createEd25519(selection),
    x25519: createX25519(selection),
    ed25519PublicKeyToX25519,
    ed25519SecretKeyToX25519(secretKey) {
      assertBytes('secretKey', secretKey, 32);
      // The running hash, whose digest is in one place only.
      const digest = hashing.createHash('sha512').update(secretKey).digest();
      const scalar = digest.slice(0, 32);
      digest.fill(0);
      // Clamped as RFC 8032 §5.1.5 says, so that the bytes are also a secret key elsewhere.
      scalar[0]! &= 248;
      scalar[31] = (scalar[31]! & 127) | 64;
      return scalar;
    },
    chacha20poly1305: createAead('chacha20poly1305', 12, selection),
    xchacha20poly1305: createAead('xchacha20poly1305', 24, selection),
    aes256gcm: createAead('aes256gcm', 12, selection),
    ...createPasswordHashing(name),
  };
}

async function loadPortable(): Promise<void> {
  await Promise.all([loadSodium(), loadAes()]);
}

function createHashing(selection: Selection): Hashing {
  const digest = {
    sha256: selection.sized('hash-sha256'),
    sha512: selection.sized('hash-sha512'),
    blake2b: selection.sized('hash-blake2b'),
  };
  const mac = {
    sha256: selection.sized('hmac-sha256'),
    sha512: selection.sized('hmac-sha512'),
    blake2b: selection.sized('hmac-blake2b'),
  };
  const hmac = (hash: HashName, key: Uint8Array, data: Uint8Array): Uint8Array => {
    assertHash(hash);
    assertData('key', key);
    assertData('data', data);
    return mac[hash](data.length).hmac(hash, key, data);
  };
  return {
    sha256(data) {
      assertData('data', data);
      return digest.sha256(data.length).hash('sha256', data);
    },
    sha512(data) {
      assertData('data', data);
      return digest.sha512(data.length).hash('sha512', data);
    },
    blake2b(data, { length = 64, key } = {}) {
      assertData('data', data);
      assertLength('length', length, 16, 64);
      if (key !== undefined) {
        assertBytes('key', key);
        assertLength('key.length', key.length, 1, 64);
      }
      return digest.blake2b(data.length).blake2b(data, length, key);
    },
    hmac,
    hkdf(hash, ikm, { salt, info, length }) {
      assertHash(hash);
      assertData('ikm', ikm);
      if (salt !== undefined) assertData('salt', salt);
      if (info !== undefined) assertData('info', info);
      assertLength('length', length, 1, 255 * HASH_LENGTH[hash]);
      const backend = mac[hash](ikm.length);
      if (hash === 'blake2b' && backend.hkdfBlake2b !== undefined) {
        return backend.hkdfBlake2b(ikm, salt ?? EMPTY, info ?? EMPTY, length);
      }
      return hkdf(hmac, hash, { ikm, salt, info, length });
    },
    createHash(hash) {
      assertHash(hash);
      return checkedHash(selection.fixed().createHash(hash));
    },
  };
}

function checkedHash(running: IncrementalHash): IncrementalHash {
  const checked: IncrementalHash = {
    update(data) {
      assertData('data', data);
      running.update(data);
      return checked;
    },
    digest: () => running.digest(),
  };
  return checked;
}

function assertHash(hash: HashName): void {
  if (!Object.hasOwn(HASH_LENGTH, hash)) throw new TypeError('hash must be sha256, sha512 or blake2b');
}

function wipe(...secrets: Uint8Array[]): void {
  for (const secret of secrets) {
    assertBytes('secret', secret);
    secret.fill(0);
    forgetPrivateKey(secret);
  }
}

/** node:crypto has no arithmetic on points: this is libsodium's on every backend. */
function ed25519PublicKeyToX25519(publicKey: Uint8Array): Uint8Array {
  assertBytes('publicKey', publicKey, 32);
  const converted = publicKeyToX25519(publicKey);
  if (converted === undefined) throw new CryptoError('INVALID_KEY', 'the Ed25519 public key is not usable');
  return converted;
}
