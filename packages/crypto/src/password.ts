import { assertBytes, assertLength } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { runArgon2idWorker } from './node/argon2-worker.ts';
import { hasNodeCrypto, nodeCrypto, plain } from './node/node-crypto.ts';
import type { Argon2idOptions, ScryptOptions } from './primitives.ts';
import { sodiumArgon2id, sodiumScrypt } from './sodium/password.ts';

// 4 GiB: what 32-bit WebAssembly can address. scrypt needs 128 * N * r bytes.
const MAX_MEMORY = 2 ** 32;

/** scrypt (RFC 7914): on Node in its thread pool, elsewhere on the calling thread. */
export async function scrypt(password: Uint8Array, options: ScryptOptions): Promise<Uint8Array> {
  const { salt, N, r, p, length, signal } = options;
  assertBytes('password', password);
  assertBytes('salt', salt);
  assertLength('salt.length', salt.length, 8, 1024);
  assertLength('N', N, 2, 2 ** 31);
  if (!Number.isInteger(Math.log2(N))) throw new RangeError('N must be a power of two');
  assertLength('r', r, 1, 2 ** 16);
  assertLength('p', p, 1, 2 ** 16);
  assertLength('length', length, 16, 1024);
  if (128 * r * (N + p) > MAX_MEMORY) throw new RangeError('N, r and p need more than 4 GiB');
  signal?.throwIfAborted();
  const derived = hasNodeCrypto()
    ? await nodeScrypt(password, { salt, N, r, p, length })
    : sodiumScrypt(password, { salt, N, r, p, length });
  if (signal?.aborted) {
    derived.fill(0);
    throw signal.reason;
  }
  return derived;
}

function nodeScrypt(password: Uint8Array, options: ScryptOptions): Promise<Uint8Array> {
  const { salt, N, r, p, length } = options;
  // OpenSSL counts a little more than 128 * N * r.
  const maxmem = 128 * r * (N + p + 2) + 65_536;
  return new Promise((resolve, reject) => {
    nodeCrypto().scrypt(password, salt, length, { N, r, p, maxmem }, (error, derived) => {
      if (error === null) resolve(plain(derived));
      else reject(new CryptoError('PASSWORD_HASH_FAILED', 'scrypt could not run', { cause: error }));
    });
  });
}

/** Argon2id 1.3 with one lane (RFC 9106): on Node in a worker, elsewhere on the calling thread. */
export async function argon2id(password: Uint8Array, options: Argon2idOptions): Promise<Uint8Array> {
  const { salt, memoryKiB, iterations, length, signal } = options;
  assertBytes('password', password);
  assertBytes('salt', salt, 16);
  assertLength('memoryKiB', memoryKiB, 8, 2 ** 21);
  assertLength('iterations', iterations, 1, 2 ** 16);
  assertLength('length', length, 16, 1024);
  signal?.throwIfAborted();
  const job = { password, salt, memoryKiB, iterations, length };
  if (hasNodeCrypto()) return runArgon2idWorker(job, signal);
  return sodiumArgon2id(job);
}
