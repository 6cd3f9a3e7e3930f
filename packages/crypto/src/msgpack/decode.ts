import { copyBytes } from '../bytes.ts';
import { type CanonicalValue, checkLimits, compareBytes, type DecodeLimits, malformed } from './limits.ts';
import { Reader } from './reader.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The value of canonical MessagePack (spec/crypto.md §7). Exactly one byte string decodes to a value, so that who verified
 * a signature over the bytes has verified the value. Byte strings are copied.
 * @throws {@link CryptoError} `MALFORMED` for everything else
 */
export function decodeCanonical(bytes: Uint8Array, limits: DecodeLimits = {}): CanonicalValue {
  const maxDepth = checkLimits(bytes, limits);
  const reader = new Reader(bytes);
  const value = read(reader, maxDepth);
  if (reader.remaining !== 0) throw malformed();
  return value;
}

function read(reader: Reader, depth: number): CanonicalValue {
  const code = reader.byte();
  if (code < 0x80) return code;
  if (code >= 0xe0) return code - 0x100;
  if (code < 0x90) return readMap(reader, code & 0x0f, depth);
  if (code < 0xa0) return readArray(reader, code & 0x0f, depth);
  if (code < 0xc0) return readString(reader, code & 0x1f);
  if (code === 0xc0) return null;
  if (code === 0xc2 || code === 0xc3) return code === 0xc3;
  if (code === 0xcb) return readFloat(reader);
  if (code >= 0xcc && code <= 0xcf) return readUnsigned(reader, code);
  if (code >= 0xd0 && code <= 0xd3) return readNegative(reader, code);
  return readLong(reader, code, depth);
}

/** Forms with a length of their own bytes; a length that a shorter form can say is refused. */
function readLong(reader: Reader, code: number, depth: number): CanonicalValue {
  switch (code) {
    case 0xc4:
      return copyBytes(reader.take(reader.uint(1, 0)));
    case 0xc5:
      return copyBytes(reader.take(reader.uint(2, 2 ** 8)));
    case 0xc6:
      return copyBytes(reader.take(reader.uint(4, 2 ** 16)));
    case 0xd9:
      return readString(reader, reader.uint(1, 32));
    case 0xda:
      return readString(reader, reader.uint(2, 2 ** 8));
    case 0xdb:
      return readString(reader, reader.uint(4, 2 ** 16));
    case 0xdc:
      return readArray(reader, reader.uint(2, 16), depth);
    case 0xdd:
      return readArray(reader, reader.uint(4, 2 ** 16), depth);
    case 0xde:
      return readMap(reader, reader.uint(2, 16), depth);
    case 0xdf:
      return readMap(reader, reader.uint(4, 2 ** 16), depth);
    default:
      // Extensions (c7-c9, d4-d8), float 32 (ca) and the reserved c1.
      throw malformed();
  }
}

function readUnsigned(reader: Reader, code: number): number | bigint {
  if (code === 0xcc) return reader.uint(1, 2 ** 7);
  if (code === 0xcd) return reader.uint(2, 2 ** 8);
  if (code === 0xce) return reader.uint(4, 2 ** 16);
  const value = reader.view(8).getBigUint64(0);
  if (value < 2n ** 32n) throw malformed();
  return toInteger(value);
}

function readNegative(reader: Reader, code: number): number | bigint {
  let value: bigint;
  let limit: bigint;
  if (code === 0xd0) [value, limit] = [BigInt(reader.view(1).getInt8(0)), -32n];
  else if (code === 0xd1) [value, limit] = [BigInt(reader.view(2).getInt16(0)), -(2n ** 7n)];
  else if (code === 0xd2) [value, limit] = [BigInt(reader.view(4).getInt32(0)), -(2n ** 15n)];
  else [value, limit] = [reader.view(8).getBigInt64(0), -(2n ** 31n)];
  if (value >= limit) throw malformed();
  return toInteger(value);
}

function toInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function readFloat(reader: Reader): number {
  const value = reader.view(8).getFloat64(0);
  // Integers have their own forms; NaN has many, infinities and -0 no use.
  if (!Number.isFinite(value) || Number.isInteger(value)) throw malformed();
  return value;
}

function readString(reader: Reader, length: number): string {
  return decodeUtf8(reader.take(length));
}

function readArray(reader: Reader, length: number, depth: number): CanonicalValue[] {
  // Every item has at least one byte.
  if (depth === 0 || length > reader.remaining) throw malformed();
  const items: CanonicalValue[] = [];
  for (let i = 0; i < length; i++) items.push(read(reader, depth - 1));
  return items;
}

function readMap(reader: Reader, size: number, depth: number): Record<string, CanonicalValue> {
  if (depth === 0 || 2 * size > reader.remaining) throw malformed();
  const map: Record<string, CanonicalValue> = {};
  let previous: Uint8Array | undefined;
  for (let i = 0; i < size; i++) {
    const key = readKey(reader);
    if (previous !== undefined && compareBytes(previous, key) >= 0) throw malformed();
    previous = key;
    const name = decodeUtf8(key);
    if (name === '__proto__') throw malformed();
    map[name] = read(reader, depth - 1);
  }
  return map;
}

function readKey(reader: Reader): Uint8Array {
  const code = reader.byte();
  if (code >= 0xa0 && code < 0xc0) return reader.take(code & 0x1f);
  if (code === 0xd9) return reader.take(reader.uint(1, 32));
  if (code === 0xda) return reader.take(reader.uint(2, 2 ** 8));
  if (code === 0xdb) return reader.take(reader.uint(4, 2 ** 16));
  throw malformed();
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw malformed();
  }
}
