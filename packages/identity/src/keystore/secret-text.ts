/*
 * Secrets as ASCII, from bytes to bytes: a string cannot be wiped, and a small Buffer may lie in memory that it shares.
 * No branch and no look-up depends on a secret.
 */

/** Base64url without padding (RFC 4648 §5), in fresh memory. */
export function base64url(bytes: Uint8Array): Uint8Array {
  const text = new Uint8Array(Math.ceil((bytes.length * 4) / 3));
  for (let at = 0, from = 0; at < text.length; at += 4, from += 3) {
    const group = (bytes[from]! << 16) | ((bytes[from + 1] ?? 0) << 8) | (bytes[from + 2] ?? 0);
    for (let i = 0; i < 4 && at + i < text.length; i++) text[at + i] = digit((group >>> (18 - 6 * i)) & 63);
  }
  return text;
}

/** 0 to 63 as `A-Z a-z 0-9 - _`: what is added is the sum of the steps between the ranges that it is behind. */
function digit(value: number): number {
  let code = value + 65;
  code += isAtLeast(value, 26) * (97 - 65 - 26);
  code += isAtLeast(value, 52) * (48 - 97 - 26);
  code += isAtLeast(value, 62) * (45 - 48 - 10);
  code += isAtLeast(value, 63) * (95 - 45 - 1);
  return code;
}

/** 1 or 0, for small numbers. */
function isAtLeast(value: number, bound: number): number {
  return 1 - ((value - bound) >>> 31);
}

/** The bytes of hexadecimal digits in fresh memory; undefined when they are not `length` bytes of such digits. */
export function fromHex(digits: Uint8Array, length: number): Uint8Array | undefined {
  if (digits.length !== 2 * length) return undefined;
  const bytes = new Uint8Array(length);
  let wrong = 0;
  for (let i = 0; i < length; i++) {
    const [high, low] = [nibble(digits[2 * i]!), nibble(digits[2 * i + 1]!)];
    wrong |= (high | low) >>> 4;
    bytes[i] = (high << 4) | low;
  }
  if (wrong === 0) return bytes;
  bytes.fill(0);
  return undefined;
}

/** 0 to 15; above for what is no digit. */
function nibble(code: number): number {
  const lower = code | 0x20;
  const isDigit = isAtLeast(code, 48) * (1 - isAtLeast(code, 58));
  const isLetter = isAtLeast(lower, 97) * (1 - isAtLeast(lower, 103));
  return isDigit * (code - 48) + isLetter * (lower - 87) + (1 - isDigit) * (1 - isLetter) * 16;
}
