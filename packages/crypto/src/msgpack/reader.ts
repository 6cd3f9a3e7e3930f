import { malformed } from './limits.ts';

/** Reads from untrusted bytes: no length is followed before it was compared with what is left. */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes that were not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    if (this.remaining === 0) throw malformed();
    return this.#bytes[this.#at++]!;
  }

  /** The next bytes, not copied. @throws CryptoError `MALFORMED` */
  take(length: number): Uint8Array {
    if (length > this.remaining) throw malformed();
    const start = this.#at;
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }

  view(length: number): DataView {
    const bytes = this.take(length);
    return new DataView(bytes.buffer, bytes.byteOffset, length);
  }

  /** An unsigned integer of 1, 2 or 4 bytes that is at least `min`. @throws CryptoError `MALFORMED` */
  uint(size: 1 | 2 | 4, min: number): number {
    if (size > this.remaining) throw malformed();
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + this.#bytes[this.#at++]!;
    if (value < min) throw malformed();
    return value;
  }
}
