import * as zlib from 'node:zlib';
import type { Compressor } from './messages/compressor.ts';

export type { Compressor } from './messages/compressor.ts';

/** zstd came to Node with 22.15; the types of the oldest supported Node do not know it. */
interface ZstdFunctions {
  zstdCompressSync?: (bytes: Uint8Array) => Uint8Array;
  zstdDecompressSync?: (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;
}

/**
 * The compressions of this Node, best first: zstd where there is one, then deflate.
 * Pass their names as `features` to both upgrades and the list to the message layer.
 */
export function createCompressors(): readonly Compressor[] {
  const { zstdCompressSync, zstdDecompressSync } = zlib as ZstdFunctions;
  const deflate: Compressor = {
    name: 'deflate',
    id: 1,
    compress: (bytes) => zlib.deflateRawSync(bytes, { level: 1 }),
    decompress: (bytes, length) => zlib.inflateRawSync(bytes, { maxOutputLength: length }),
  };
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return [deflate];
  const zstd: Compressor = {
    name: 'zstd',
    id: 2,
    compress: (bytes) => zstdCompressSync(bytes),
    decompress: (bytes, length) => zstdDecompressSync(bytes, { maxOutputLength: length }),
  };
  return [zstd, deflate];
}
