import { HASH_LENGTH } from './backend.ts';
import { EMPTY } from './bytes.ts';
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
  // T(n - 1) | info | n; the first block has no T.
  const input = new Uint8Array(digestLength + info.length + 1);
  input.set(info, digestLength);
  for (let at = 0, counter = 1; at < length; at += digestLength, counter++) {
    input[input.length - 1] = counter;
    const block = hmac(hash, pseudorandomKey, counter === 1 ? input.subarray(digestLength) : input);
    if (length - at >= digestLength) output.set(block, at);
    else output.set(block.subarray(0, length - at), at);
    input.set(block);
    block.fill(0);
  }
  input.fill(0);
  pseudorandomKey.fill(0);
  return output;
}
