import { blake2s } from '@noble/hashes/blake2.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import type { HashFunction } from './suite.ts';

const noInfo = new Uint8Array(0);

/** BLAKE2s (Noise §12.7). No backend of ours has it, so it comes from @noble/hashes: slow, but only for those who name it. */
export const blake2sHash: HashFunction = {
  length: 32,
  hash: (data) => blake2s(data),
  hkdf: (chainingKey, input, outputs) => hkdf(blake2s, input, chainingKey, noInfo, outputs * 32),
};
