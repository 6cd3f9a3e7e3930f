import type { Worker } from 'node:worker_threads';
import { copyBytes } from '../bytes.ts';
import { type PasswordJob, passwordHashFailed } from '../sodium/password.ts';

// The worker is source text, so that no second file has to be found after bundling: it needs libsodium's address only.
const SOURCE = `
const { parentPort, workerData } = require('node:worker_threads');
const { url, job } = workerData;
const { password, salt, length } = job;
import(url).then(async ({ default: sodium }) => {
  await sodium.ready;
  const derived = job.kind === 'scrypt'
    ? sodium.crypto_pwhash_scryptsalsa208sha256_ll(password, salt, job.N, job.r, job.p, length)
    : sodium.crypto_pwhash(length, password, salt, job.iterations, job.memoryKiB * 1024, 2);
  password.fill(0);
  parentPort.postMessage(derived, [derived.buffer]);
});
`;

/**
 * Derives a key by libsodium in a worker thread of Node, which the signal stops.
 * @throws CryptoError `PASSWORD_HASH_FAILED`
 */
export async function runSodiumWorker(job: PasswordJob, signal?: AbortSignal): Promise<Uint8Array> {
  const worker = startWorker(job);
  let onAbort = (): void => undefined;
  try {
    return await new Promise((resolve, reject) => {
      onAbort = () => reject(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      worker.once('message', resolve);
      worker.once('error', (cause) => reject(passwordHashFailed(job.kind, cause)));
      worker.once('exit', () => reject(passwordHashFailed(job.kind)));
    });
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await worker.terminate();
  }
}

function startWorker(job: PasswordJob): Worker {
  const { Worker } = globalThis.process.getBuiltinModule('node:worker_threads');
  // The copy moves to the worker, which zeroes it.
  const password = copyBytes(job.password);
  try {
    return new Worker(SOURCE, {
      eval: true,
      workerData: { url: sodiumUrl(), job: { ...job, password, salt: copyBytes(job.salt) } },
      transferList: [password.buffer as ArrayBuffer],
    });
  } catch (cause) {
    // Workers may be forbidden, or libsodium may not be a package of its own any more after bundling.
    password.fill(0);
    throw passwordHashFailed(job.kind, cause);
  }
}

function sodiumUrl(): string {
  const { createRequire } = globalThis.process.getBuiltinModule('node:module');
  const { pathToFileURL } = globalThis.process.getBuiltinModule('node:url');
  return pathToFileURL(createRequire(import.meta.url).resolve('libsodium-wrappers-sumo')).href;
}
