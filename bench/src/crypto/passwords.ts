import { scrypt as nodeScrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { argon2id as nobleArgon2id } from '@noble/hashes/argon2.js';
import { scrypt as nobleScrypt } from '@noble/hashes/scrypt.js';
import { argon2id, randomBytes, ready, scrypt } from '@nzcore/crypto';
import sodium from 'libsodium-wrappers-sumo';
import type { Contestant } from '../area.ts';
import { processorMicrosecondsOf } from '../timing.ts';

const password = randomBytes(20);
const salt = randomBytes(16);
const SCRYPT = { N: 16_384, r: 8, p: 1 } as const;
const ARGON2 = { memoryKiB: 19_456, iterations: 2 } as const;
const nodeScryptAsync = promisify<Uint8Array, Uint8Array, number, object, Uint8Array>(nodeScrypt);

/** 32 bytes from a password; ours off the main thread, the others as they are offered. */
export function passwordContestants(name: 'argon2id' | 'scrypt'): Contestant[] {
  if (name === 'scrypt') {
    return [
      once('ours', () => scrypt(password, { salt, ...SCRYPT, length: 32 })),
      once('node', () => nodeScryptAsync(password, salt, 32, { ...SCRYPT, maxmem: 2 ** 26 })),
      once('noble', async () => nobleScrypt(password, salt, { ...SCRYPT, dkLen: 32 })),
    ];
  }
  const bytes = ARGON2.memoryKiB * 1024;
  const noble = { m: ARGON2.memoryKiB, t: ARGON2.iterations, p: 1, dkLen: 32 };
  return [
    once('ours', () => argon2id(password, { salt, ...ARGON2, length: 32 })),
    once('libsodium', async () => sodium.crypto_pwhash(32, password, salt, ARGON2.iterations, bytes, 2)),
    once('noble', async () => nobleArgon2id(password, salt, noble)),
  ];
}

function once(name: string, operation: () => Promise<unknown>): Contestant {
  return {
    name,
    open: async () => {
      await Promise.all([ready(), sodium.ready]);
      return {
        measure: async () => {
          // Not counted: a machine takes freed memory back while others have their turn, and the first to touch it again would pay.
          await operation();
          return processorMicrosecondsOf(operation);
        },
      };
    },
  };
}
