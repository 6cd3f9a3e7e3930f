import { assertBytes, assertData, assertLength, copyBytes } from './bytes.ts';
import { hasNodeCrypto } from './node/node-crypto.ts';
import { hasNodeArgon2, nodeArgon2id, nodeScrypt } from './node/password.ts';
import { runSodiumWorker } from './node/sodium-worker.ts';
import type { Argon2idOptions, BackendName, Primitives, ScryptOptions } from './primitives.ts';
import { loadSodium } from './sodium/library.ts';
import { type PasswordJob, runPasswordJob } from './sodium/password.ts';

// 4 GiB: what 32-bit WebAssembly can address. scrypt needs 128 * r * (N + p) bytes (RFC 7914 §2).
const MAX_MEMORY = 2 ** 32;

/** scrypt and Argon2id: on Node never on the calling thread. */
export function createPasswordHashing(name: BackendName): Pick<Primitives, 'scrypt' | 'argon2id'> {
  const prefersNode = name !== 'sodium' && hasNodeCrypto();
  return {
    async scrypt(password, options) {
      checkScrypt(password, options);
      const { salt, N, r, p, length, signal } = options;
      const job = { kind: 'scrypt', password, salt, N, r, p, length } as const;
      signal?.throwIfAborted();
      return prefersNode ? unlessAborted(nodeScrypt(job), signal) : runSodium(job, signal);
    },
    async argon2id(password, options) {
      checkArgon2id(password, options);
      const { salt, memoryKiB, iterations, length, signal } = options;
      const job = { kind: 'argon2id', password, salt, memoryKiB, iterations, length } as const;
      signal?.throwIfAborted();
      if (prefersNode && hasNodeArgon2()) return unlessAborted(nodeArgon2id(job), signal);
      return runSodium(job, signal);
    },
  };
}

function checkScrypt(password: Uint8Array, { salt, N, r, p, length }: ScryptOptions): void {
  assertData('password', password);
  assertBytes('salt', salt);
  assertLength('salt.length', salt.length, 8, 1024);
  assertLength('N', N, 2, 2 ** 31);
  if (!Number.isInteger(Math.log2(N))) throw new RangeError('N must be a power of two');
  assertLength('r', r, 1, 2 ** 16);
  assertLength('p', p, 1, 2 ** 16);
  assertLength('length', length, 16, 1024);
  if (128 * r * (N + p) > MAX_MEMORY) throw new RangeError('N, r and p need more than 4 GiB');
}

function checkArgon2id(password: Uint8Array, options: Argon2idOptions): void {
  const { salt, memoryKiB, iterations, length } = options;
  assertData('password', password);
  assertBytes('salt', salt, 16);
  assertLength('memoryKiB', memoryKiB, 8, MAX_MEMORY / 1024 - 1);
  assertLength('iterations', iterations, 1, 2 ** 16);
  assertLength('length', length, 16, 1024);
}

async function runSodium(job: PasswordJob, signal: AbortSignal | undefined): Promise<Uint8Array> {
  if (hasNodeCrypto()) return runSodiumWorker(job, signal);
  // The caller may wipe the password as soon as this has returned a promise.
  const password = copyBytes(job.password);
  try {
    await loadSodium();
    return runPasswordJob({ ...job, password });
  } finally {
    password.fill(0);
  }
}

/** What runs in Node's thread pool cannot be stopped: its result is zeroed and dropped. */
async function unlessAborted(
  running: Promise<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  if (signal === undefined) return running;
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason);
  });
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([running, aborted]);
  } catch (error) {
    running.then(
      (derived) => derived.fill(0),
      () => undefined,
    );
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
