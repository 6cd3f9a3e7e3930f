import { copyBytes } from './bytes.ts';

/*
 * What an Ed25519 signature and key must look like before any backend sees them (spec/crypto.md §3). Backends and their
 * versions differ in these points, the rule must not.
 */

// Bytes little-endian. L is the order of the base point, P the field's prime 2^255 - 19 (RFC 8032 §5.1).
const L = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');
const P = fromHex('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');

// The y coordinates of the eight points of small order, in canonical form: 1, -1, 0 and the two of order 8.
const SMALL_ORDER_Y: readonly Uint8Array[] = [
  fromHex('0100000000000000000000000000000000000000000000000000000000000000'),
  fromHex('ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'),
  fromHex('0000000000000000000000000000000000000000000000000000000000000000'),
  fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'),
  fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'),
];

/** Whether R and S are canonical and R is not of small order. */
export function isStrictSignature(signature: Uint8Array): boolean {
  return isStrictPoint(signature.subarray(0, 32)) && isBelow(signature.subarray(32), L);
}

/**
 * Whether the encoding is canonical (y below P; x = 0 with its sign set is of small order anyway) and not of small
 * order. Whether it is on the curve is left to the backend.
 */
export function isStrictPoint(encoded: Uint8Array): boolean {
  const y = copyBytes(encoded);
  y[31]! &= 0x7f;
  return isBelow(y, P) && !SMALL_ORDER_Y.some((small) => isSame(y, small));
}

function isBelow(value: Uint8Array, limit: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    if (value[i]! !== limit[i]!) return value[i]! < limit[i]!;
  }
  return false;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i]);
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}
