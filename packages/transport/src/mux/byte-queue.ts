import { COPY_BELOW } from './record-builder.ts';

/** A block that small pieces are gathered in doubles with the queue up to this size. */
const MAX_BLOCK = 64 * 1024;

/** What lies beside a half of a full record that is not its other half: other frames and headers. */
const RECORD_SLACK = 2 * 1024;

/**
 * Bytes in order of arrival, without keeping more memory alive than about twice their number: a piece that is small beside the
 * buffer it is a view of is copied, and small pieces share a block. So 10^6 pieces of one byte cost 2 MB, not 64 GB.
 */
export class ByteQueue {
  #chunks: (Uint8Array | undefined)[] = [];
  #head = 0;
  /** The last chunk, when it is a block of this queue's own with room behind it. */
  #block: Uint8Array | undefined;
  #blockUsed = 0;
  #length = 0;

  /** Bytes in the queue. */
  get length(): number {
    return this.#length;
  }

  /** Appends bytes of which the caller may change nothing any more. */
  push(bytes: Uint8Array): void {
    if (isSmallPart(bytes) || bytes.length < 1024) this.pushCopy(bytes);
    else this.#append(bytes);
  }

  /** Appends what an application writes: large pieces without a copy, whatever they are a view of. */
  pushWritten(bytes: Uint8Array): void {
    if (bytes.length < COPY_BELOW) this.pushCopy(bytes);
    else this.#append(bytes);
  }

  /** Appends a copy. */
  pushCopy(bytes: Uint8Array): void {
    const block = this.#block;
    if (block !== undefined && this.#blockUsed + bytes.length <= block.length) {
      block.set(bytes, this.#blockUsed);
      this.#blockUsed += bytes.length;
      this.#length += bytes.length;
      return;
    }
    const fresh = new Uint8Array(Math.max(bytes.length, Math.min(MAX_BLOCK, this.#length)));
    fresh.set(bytes);
    this.#append(fresh);
    this.#length -= fresh.length - bytes.length;
    this.#block = fresh;
    this.#blockUsed = bytes.length;
  }

  /** Puts bytes back to the front; as `push`. */
  unshift(bytes: Uint8Array): void {
    const chunk = isSmallPart(bytes) ? new Uint8Array(bytes) : bytes;
    this.#length += chunk.length;
    if (this.#head === 0) this.#chunks.unshift(chunk);
    else this.#chunks[--this.#head] = chunk;
  }

  /** Takes at most `max` bytes from the front, as one view; undefined when the queue is empty. */
  shift(max: number = Number.POSITIVE_INFINITY): Uint8Array | undefined {
    const first = this.#chunks[this.#head];
    if (first === undefined) return undefined;
    const isBlock = first === this.#block;
    const available = isBlock ? this.#blockUsed : first.length;
    const size = Math.min(max, available);
    this.#length -= size;
    if (size < available) {
      const rest = first.subarray(size);
      this.#chunks[this.#head] = rest;
      if (isBlock) {
        this.#block = rest;
        this.#blockUsed -= size;
      }
      return first.subarray(0, size);
    }
    if (isBlock) this.#block = undefined;
    this.#chunks[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === this.#chunks.length) {
      this.#chunks.length = 0;
      this.#head = 0;
    } else if (this.#head === 256) {
      this.#chunks.splice(0, this.#head);
      this.#head = 0;
    }
    return size === first.length ? first : first.subarray(0, size);
  }

  /** Takes everything, in one piece: without a copy when it is one already. */
  takeAll(): Uint8Array {
    const first = this.shift();
    if (first === undefined || this.#length === 0) return first ?? new Uint8Array(0);
    const all = new Uint8Array(first.length + this.#length);
    all.set(first);
    let at = first.length;
    for (let next = this.shift(); next !== undefined; next = this.shift()) {
      all.set(next, at);
      at += next.length;
    }
    return all;
  }

  /** Drops everything. */
  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#block = undefined;
    this.#length = 0;
  }

  #append(bytes: Uint8Array): void {
    this.#sealBlock();
    this.#chunks.push(bytes);
    this.#length += bytes.length;
  }

  /** Cuts the shared block to what is used, so that a chunk behind it keeps the order. */
  #sealBlock(): void {
    if (this.#block === undefined) return;
    this.#chunks[this.#chunks.length - 1] = this.#block.subarray(0, this.#blockUsed);
    this.#block = undefined;
  }
}

/** A small part of its buffer: it would keep all of it. */
function isSmallPart(bytes: Uint8Array): boolean {
  return bytes.length * 2 + RECORD_SLACK < bytes.buffer.byteLength;
}
