import { type Argon2idJob, passwordHashFailed, type ScryptJob } from '../sodium/password.ts';
import { nodeCrypto, plain } from './node-crypto.ts';

/** scrypt in Node's thread pool. */
export function nodeScrypt({ password, salt, N, r, p, length }: ScryptJob): Promise<Uint8Array> {
  // OpenSSL counts a little more than 128 * r * (N + p).
  const maxmem = 128 * r * (N + p + 2) + 65_536;
  return new Promise((resolve, reject) => {
    nodeCrypto().scrypt(password, salt, length, { N, r, p, maxmem }, (error, derived) => {
      if (error === null) resolve(plain(derived));
      else reject(passwordHashFailed('scrypt', error));
    });
  });
}

/** node:crypto's argon2, which Node has from 24.7 on and these types do not know. */
type NodeArgon2 = (
  algorithm: 'argon2id',
  parameters: Readonly<Record<string, Uint8Array | number>>,
  callback: (error: Error | null, derived: Uint8Array) => void,
) => void;

function findArgon2(): NodeArgon2 | undefined {
  return (nodeCrypto() as { argon2?: NodeArgon2 }).argon2;
}

/** Whether this Node has Argon2. */
export function hasNodeArgon2(): boolean {
  return findArgon2() !== undefined;
}

/** Argon2id in Node's thread pool; only where {@link hasNodeArgon2}. */
export function nodeArgon2id(job: Argon2idJob): Promise<Uint8Array> {
  const { password, salt, memoryKiB, iterations, length } = job;
  const parameters = {
    message: password,
    nonce: salt,
    parallelism: 1,
    tagLength: length,
    memory: memoryKiB,
    passes: iterations,
  };
  return new Promise((resolve, reject) => {
    findArgon2()!('argon2id', parameters, (error, derived) => {
      if (error === null) resolve(plain(derived));
      else reject(passwordHashFailed('argon2id', error));
    });
  });
}
