import { CryptoError } from '../errors.ts';
import type { Argon2idJob } from '../sodium/password.ts';

// The worker is source text, so that no second file has to be found after bundling. It only needs libsodium's address.
const SOURCE = `
const { parentPort, workerData } = require('node:worker_threads');
const { url, password, salt, memoryKiB, iterations, length } = workerData;
import(url).then(async ({ default: sodium }) => {
  await sodium.ready;
  const derived = sodium.crypto_pwhash(length, password, salt, iterations, memoryKiB * 1024, 2);
  password.fill(0);
  parentPort.postMessage(derived, [derived.buffer]);
});
`;

/** Argon2id by libsodium in a worker thread, stopped when the signal is aborted. */
export async function runArgon2idWorker(job: Argon2idJob, signal?: AbortSignal): Promise<Uint8Array> {
  const { Worker } = globalThis.process.getBuiltinModule('node:worker_threads');
  const password = job.password.slice();
  const workerData = { ...job, password, url: sodiumUrl() };
  const worker = new Worker(SOURCE, { eval: true, workerData, transferList: [password.buffer] });
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      worker.once('message', resolve);
      worker.once('error', (cause) => reject(failed(cause)));
      worker.once('exit', () => reject(failed(undefined)));
    });
  } finally {
    await worker.terminate();
  }
}

function failed(cause: unknown): CryptoError {
  return new CryptoError('PASSWORD_HASH_FAILED', 'Argon2id could not run', { cause });
}

function sodiumUrl(): string {
  const { createRequire } = globalThis.process.getBuiltinModule('node:module');
  const { pathToFileURL } = globalThis.process.getBuiltinModule('node:url');
  return pathToFileURL(createRequire(import.meta.url).resolve('libsodium-wrappers-sumo')).href;
}
