import { type CanonicalValue, compareBytes, DEFAULT_MAX_DEPTH } from './limits.ts';

const utf8 = new TextEncoder();
const MIN_INT64 = -(2n ** 63n);
const MAX_UINT64 = 2n ** 64n - 1n;

/**
 * The one canonical encoding of a value (spec/crypto.md §7): shortest forms, map keys in the order of their UTF-8
 * bytes, no extension types.
 * @throws TypeError for a value that has no canonical form, also NaN, infinities, -0, lone surrogates and deeper nesting
 * than 16
 */
export function encodeCanonical(value: CanonicalValue): Uint8Array {
  const writer = new Writer();
  write(writer, value, DEFAULT_MAX_DEPTH);
  return writer.finish();
}

function write(writer: Writer, value: CanonicalValue, depth: number): void {
  if (value === null) writer.byte(0xc0);
  else if (typeof value === 'boolean') writer.byte(value ? 0xc3 : 0xc2);
  else if (typeof value === 'number') writeNumber(writer, value);
  else if (typeof value === 'bigint') writeBigint(writer, value);
  else if (typeof value === 'string') writeString(writer, value);
  else if (value instanceof Uint8Array) writeBinary(writer, value);
  else if (typeof value === 'object') writeNested(writer, value, depth);
  else throw new TypeError(`a ${typeof value} has no canonical encoding`);
}

function writeNumber(writer: Writer, value: number): void {
  if (!Number.isFinite(value) || Object.is(value, -0)) {
    throw new TypeError('NaN, infinities and -0 have no canonical encoding');
  }
  if (Number.isSafeInteger(value)) writeInteger(writer, value);
  else if (Number.isInteger(value)) throw new TypeError('an integer above 53 bits must be a bigint');
  else writer.head(0xcb, 8).setFloat64(0, value);
}

function writeBigint(writer: Writer, value: bigint): void {
  if (value < MIN_INT64 || value > MAX_UINT64) throw new TypeError('an integer must fit 64 bits');
  const asNumber = Number(value);
  if (Number.isSafeInteger(asNumber)) writeInteger(writer, asNumber);
  else if (value >= 0n) writer.head(0xcf, 8).setBigUint64(0, value);
  else writer.head(0xd3, 8).setBigInt64(0, value);
}

/** A safe integer: without BigInt, which would take longer than everything else here. */
function writeInteger(writer: Writer, value: number): void {
  if (value >= -32 && value < 128) writer.byte(value & 0xff);
  else if (value >= 0) writeUnsigned(writer, value);
  else writeNegative(writer, value);
}

function writeUnsigned(writer: Writer, value: number): void {
  if (value < 2 ** 8) writer.unsigned(0xcc, 1, value);
  else if (value < 2 ** 16) writer.unsigned(0xcd, 2, value);
  else if (value < 2 ** 32) writer.unsigned(0xce, 4, value);
  else writer.head(0xcf, 8).setBigUint64(0, BigInt(value));
}

function writeNegative(writer: Writer, value: number): void {
  if (value >= -(2 ** 7)) writer.head(0xd0, 1).setInt8(0, value);
  else if (value >= -(2 ** 15)) writer.head(0xd1, 2).setInt16(0, value);
  else if (value >= -(2 ** 31)) writer.head(0xd2, 4).setInt32(0, value);
  else writer.head(0xd3, 8).setBigInt64(0, BigInt(value));
}

function writeString(writer: Writer, value: string): void {
  writeUtf8(writer, encodeUtf8(value));
}

function writeUtf8(writer: Writer, bytes: Uint8Array): void {
  const { length } = bytes;
  if (length < 32) writer.byte(0xa0 | length);
  else if (length < 2 ** 8) writer.unsigned(0xd9, 1, length);
  else writeLength(writer, length, 0xda);
  writer.bytes(bytes);
}

function writeBinary(writer: Writer, bytes: Uint8Array): void {
  const { length } = bytes;
  if (length < 2 ** 8) writer.unsigned(0xc4, 1, length);
  else writeLength(writer, length, 0xc5);
  writer.bytes(bytes);
}

/** A 16- or a 32-bit length; the form of 32 bits has the next code. */
function writeLength(writer: Writer, length: number, code: number): void {
  if (length < 2 ** 16) writer.unsigned(code, 2, length);
  else writer.unsigned(code + 1, 4, length);
}

function writeNested(writer: Writer, value: object, depth: number): void {
  if (depth === 0) throw new TypeError('the value is nested too deeply');
  if (Array.isArray(value)) {
    writeArray(writer, value, depth - 1);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError('only plain objects, arrays and Uint8Arrays have a canonical encoding');
  }
  writeMap(writer, value as Readonly<Record<string, CanonicalValue>>, depth - 1);
}

function writeArray(writer: Writer, items: readonly CanonicalValue[], depth: number): void {
  if (items.length < 16) writer.byte(0x90 | items.length);
  else writeLength(writer, items.length, 0xdc);
  // By index: holes are undefined, which is refused.
  for (let i = 0; i < items.length; i++) write(writer, items[i]!, depth);
}

function writeMap(writer: Writer, map: Readonly<Record<string, CanonicalValue>>, depth: number): void {
  const entries = Object.entries(map).map(([key, value]) => ({ key: encodeUtf8(key), name: key, value }));
  entries.sort((a, b) => compareBytes(a.key, b.key));
  if (entries.length < 16) writer.byte(0x80 | entries.length);
  else writeLength(writer, entries.length, 0xde);
  for (const { key, name, value } of entries) {
    if (name === '__proto__') throw new TypeError('__proto__ is not allowed as a key');
    writeUtf8(writer, key);
    write(writer, value, depth);
  }
}

function encodeUtf8(text: string): Uint8Array {
  // TextEncoder would silently replace half of a surrogate pair.
  if (/\p{Surrogate}/u.test(text)) throw new TypeError('a string with a lone surrogate has no encoding');
  return utf8.encode(text);
}

/** Collects bytes; the memory is doubled when it is full. */
class Writer {
  #memory = new Uint8Array(256);
  #length = 0;

  byte(value: number): void {
    this.#reserve(1);
    this.#memory[this.#length++] = value;
  }

  /** Writes the code and an integer of `size` bytes, big-endian. */
  unsigned(code: number, size: 1 | 2 | 4, value: number): void {
    this.#reserve(1 + size);
    this.#memory[this.#length++] = code;
    for (let shift = 8 * (size - 1); shift >= 0; shift -= 8) this.#memory[this.#length++] = value >>> shift;
  }

  /** Writes the code and answers a view of the `size` bytes after it. */
  head(code: number, size: number): DataView {
    this.byte(code);
    this.#reserve(size);
    const view = new DataView(this.#memory.buffer, this.#length, size);
    this.#length += size;
    return view;
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#memory.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A copy of what was written; the working memory is zeroed, it may have held secrets. */
  finish(): Uint8Array {
    const result = this.#memory.slice(0, this.#length);
    this.#memory.fill(0);
    return result;
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#memory.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#memory.length));
    larger.set(this.#memory);
    this.#memory.fill(0);
    this.#memory = larger;
  }
}
