/** A way to make messages smaller. `@nzcore/transport/compression` has those of Node. */
export interface Compressor {
  /** Name of the feature that both sides must have, such as `zstd`. */
  readonly name: string;
  /** Number on the wire: 1 deflate without header, 2 zstd; 128 to 255 are free for private use. */
  readonly id: number;
  compress(bytes: Uint8Array): Uint8Array;
  /** @throws whatever it likes for bytes that are not its own, or that unpack to more than `length`. */
  decompress(bytes: Uint8Array, length: number): Uint8Array;
}

/** What is shorter is sent as it is: too little to win for the time it takes. */
export const COMPRESS_FROM = 1024;
