/// <reference path="./unpack-no-eval.d.ts" />
import { Unpackr } from 'msgpackr/unpack-no-eval';
import { checkLimits, type DecodeLimits, malformed } from './limits.ts';
import { Reader } from './reader.ts';

// Records and structures are msgpackr's own extensions and run generated code: never for a peer's bytes. This build cannot generate
// any, and is one file instead of four.
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'auto' });

/**
 * The value of any MessagePack without extension types, for bodies that are not signed: forms need not be the shortest.
 * Every length is compared with the input before msgpackr reads it. Byte strings may share the input's memory.
 * @throws {@link CryptoError} `MALFORMED`
 */
export function decodeUntrusted(bytes: Uint8Array, limits: DecodeLimits = {}): unknown {
  const maxDepth = checkLimits(bytes, limits);
  const reader = new Reader(bytes);
  skip(reader, maxDepth);
  if (reader.remaining !== 0) throw malformed();
  try {
    // A plain view: of a Buffer, msgpackr would make Buffers.
    return unpackr.unpack(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch {
    throw malformed();
  }
}

/** Walks over one value. */
function skip(reader: Reader, depth: number): void {
  const code = reader.byte();
  if (code < 0x80 || code >= 0xe0) return;
  if (code < 0x90) skipItems(reader, 2 * (code & 0x0f), depth);
  else if (code < 0xa0) skipItems(reader, code & 0x0f, depth);
  else if (code < 0xc0) reader.take(code & 0x1f);
  else skipLong(reader, code, depth);
}

function skipLong(reader: Reader, code: number, depth: number): void {
  const fixed = FIXED_LENGTH.get(code);
  if (fixed !== undefined) reader.take(fixed);
  else if (code === 0xc4 || code === 0xd9) reader.take(reader.uint(1, 0));
  else if (code === 0xc5 || code === 0xda) reader.take(reader.uint(2, 0));
  else if (code === 0xc6 || code === 0xdb) reader.take(reader.uint(4, 0));
  else if (code === 0xdc) skipItems(reader, reader.uint(2, 0), depth);
  else if (code === 0xdd) skipItems(reader, reader.uint(4, 0), depth);
  else if (code === 0xde) skipItems(reader, 2 * reader.uint(2, 0), depth);
  else if (code === 0xdf) skipItems(reader, 2 * reader.uint(4, 0), depth);
  else throw malformed();
}

// nil, booleans, floats and integers.
const FIXED_LENGTH: ReadonlyMap<number, number> = new Map([
  [0xc0, 0],
  [0xc2, 0],
  [0xc3, 0],
  [0xca, 4],
  [0xcb, 8],
  [0xcc, 1],
  [0xcd, 2],
  [0xce, 4],
  [0xcf, 8],
  [0xd0, 1],
  [0xd1, 2],
  [0xd2, 4],
  [0xd3, 8],
]);

function skipItems(reader: Reader, count: number, depth: number): void {
  if (depth === 0 || count > reader.remaining) throw malformed();
  for (let i = 0; i < count; i++) skip(reader, depth - 1);
}
