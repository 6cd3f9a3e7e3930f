import { assertBytes, assertLength } from '../bytes.ts';
import { CryptoError } from '../errors.ts';

/**
 * What canonical MessagePack can hold. An integer of more than 53 bits is a bigint, any other one is a number; binary
 * data is a Uint8Array; a map is a plain object without `__proto__`.
 */
export type CanonicalValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly CanonicalValue[]
  | { readonly [key: string]: CanonicalValue };

/** Bounds of what a decoder accepts. */
export interface DecodeLimits {
  /** Arrays and maps inside one another. @defaultValue 16 */
  readonly maxDepth?: number | undefined;
  /** Bytes of the input. @defaultValue 1048576 */
  readonly maxBytes?: number | undefined;
}

/** Arrays and maps inside one another, unless the caller says otherwise; signed structures here have at most 4. */
export const DEFAULT_MAX_DEPTH = 16;
// Nothing that is signed comes near it; a decoded value needs up to about 20 times its input.
const DEFAULT_MAX_BYTES = 2 ** 20;
// Each level is a stack frame of the decoder.
const HIGHEST_MAX_DEPTH = 128;

/** Checks the input against the limits; answers the depth to use. */
export function checkLimits(bytes: Uint8Array, limits: DecodeLimits): number {
  const { maxDepth = DEFAULT_MAX_DEPTH, maxBytes = DEFAULT_MAX_BYTES } = limits;
  assertBytes('bytes', bytes);
  assertLength('maxDepth', maxDepth, 0, HIGHEST_MAX_DEPTH);
  assertLength('maxBytes', maxBytes, 0, 2 ** 31 - 1);
  if (bytes.length > maxBytes) throw malformed();
  return maxDepth;
}

/** The one error of every decoder here. */
export function malformed(): CryptoError {
  return new CryptoError('MALFORMED', 'the bytes are not acceptable MessagePack');
}

/** Orders byte strings as memcmp does, a prefix first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length);
  for (let i = 0; i < common; i++) {
    if (a[i]! !== b[i]!) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}
