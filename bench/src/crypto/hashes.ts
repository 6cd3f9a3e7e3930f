import { createHmac, hkdfSync, hash as nodeHash } from 'node:crypto';
import { blake2b as nobleBlake2b } from '@noble/hashes/blake2.js';
import { hkdf as nobleHkdf } from '@noble/hashes/hkdf.js';
import { hmac as nobleHmac } from '@noble/hashes/hmac.js';
import { sha256 as nobleSha256, sha512 as nobleSha512 } from '@noble/hashes/sha2.js';
import { blake2b, hkdf, hmac, randomBytes, sha256, sha512 } from '@nzcore/crypto';
import sodium from 'libsodium-wrappers-sumo';
import type { Contestant } from '../area.ts';
import { repeat } from './contestant.ts';

const OURS = { sha256, sha512, blake2b } as const;
const NOBLE = { sha256: nobleSha256, sha512: nobleSha512, blake2b: nobleBlake2b } as const;
const NODE = { sha256: 'sha256', sha512: 'sha512', blake2b: 'blake2b512' } as const;

/** One digest of a message. */
export function digestContestants(name: 'sha256' | 'sha512' | 'blake2b', length: number): Contestant[] {
  const data = randomBytes(length);
  const libsodium = {
    sha256: () => sodium.crypto_hash_sha256(data),
    sha512: () => sodium.crypto_hash_sha512(data),
    blake2b: () => sodium.crypto_generichash(64, data, null),
  } as const;
  return [
    repeat('ours', () => () => OURS[name](data)),
    repeat('node', () => () => nodeHash(NODE[name], data, 'buffer')),
    repeat('libsodium', () => libsodium[name]),
    repeat('noble', () => () => NOBLE[name](data)),
  ];
}

/** One HMAC of a message under a key of 32 bytes. */
export function hmacContestants(name: 'sha256' | 'sha512', length: number): Contestant[] {
  const key = randomBytes(32);
  const data = randomBytes(length);
  return [
    repeat('ours', () => () => hmac(name, key, data)),
    repeat('node', () => () => createHmac(name, key).update(data).digest()),
    repeat('libsodium', () => () => sodium[`crypto_auth_hmac${name}`](data, key)),
    repeat('noble', () => () => nobleHmac(NOBLE[name], key, data)),
  ];
}

/** 64 bytes derived from 32, with salt and info. */
export function hkdfContestants(): Contestant[] {
  const [ikm, salt, info] = [randomBytes(32), randomBytes(32), randomBytes(16)];
  return [
    repeat('ours', () => () => hkdf('sha256', ikm, { salt, info, length: 64 })),
    repeat('node', () => () => hkdfSync('sha256', ikm, salt, info, 64)),
    repeat('noble', () => () => nobleHkdf(nobleSha256, ikm, salt, info, 64)),
  ];
}
