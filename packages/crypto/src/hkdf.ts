import { HASH_LENGTH } from './backend.ts';
import { concatBytes, EMPTY } from './bytes.ts';
import type { HashName } from './primitives.ts';

/** HMAC on some backend. */
export type Hmac = (hash: HashName, key: Uint8Array, data: Uint8Array) => Uint8Array;

/** HKDF (RFC 5869 §2): extract, then expand; intermediate values are zeroed. */
export function hkdf(
  hmac: Hmac,
  hash: HashName,
  inputs: { ikm: Uint8Array; salt?: Uint8Array | undefined; info?: Uint8Array | undefined; length: number },
): Uint8Array {
  const { ikm, salt = EMPTY, info = EMPTY, length } = inputs;
  const digestLength = HASH_LENGTH[hash];
  const pseudorandomKey = hmac(hash, salt, ikm);
  const output = new Uint8Array(length);
  let block = EMPTY;
  for (let at = 0, counter = 1; at < length; at += digestLength, counter++) {
    const input = concatBytes(block, info, Uint8Array.of(counter));
    block.fill(0);
    block = hmac(hash, pseudorandomKey, input);
    input.fill(0);
    output.set(block.subarray(0, length - at), at);
  }
  block.fill(0);
  pseudorandomKey.fill(0);
  return output;
}
