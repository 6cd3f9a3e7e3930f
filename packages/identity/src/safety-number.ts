/** Two people compare this number by voice to know that nobody sits between them (spec/identity.md §11). */
import { sha512 } from '@nzcore/crypto';
import { multicodecPublicKey, type PeerId, publicKeyFromPeerId } from './peer-id.ts';

// As many rounds as Signal's numeric fingerprints: they make a search for a key with a similar number dearer.
const ROUNDS = 5200;
const GROUPS = 6;
const GROUP_BYTES = 5;

/**
 * The safety number of two identities: 60 digits in 12 groups of 5, the same whoever computes it. Takes some
 * milliseconds.
 */
export function safetyNumber(one: PeerId, other: PeerId): string {
  const halves = [digits(one), digits(other)].sort();
  return halves.join(' ');
}

function digits(id: PeerId): string {
  const key = multicodecPublicKey(publicKeyFromPeerId(id));
  const prefix = new TextEncoder().encode('NZ-IDENTITY-01/safety-number\0');
  let hash = sha512(Uint8Array.of(...prefix, ...key));
  const input = new Uint8Array(hash.length + key.length);
  input.set(key, hash.length);
  for (let round = 1; round < ROUNDS; round++) {
    input.set(hash);
    hash = sha512(input);
  }
  const groups: string[] = [];
  for (let group = 0; group < GROUPS; group++) {
    let value = 0;
    for (const byte of hash.subarray(group * GROUP_BYTES, (group + 1) * GROUP_BYTES))
      value = value * 256 + byte;
    groups.push(String(value % 100_000).padStart(5, '0'));
  }
  return groups.join(' ');
}
