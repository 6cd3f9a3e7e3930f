import { MAX_HANDSHAKE_MESSAGE } from '@nzcore/crypto/handshake';
import { TransportError } from '../errors.ts';

/** Bytes of the length in front of every handshake message, big-endian, NZ-WIRE-01 §2. */
const LENGTH_BYTES = 2;

/** A handshake message with its length in front. */
export function frameHandshakeMessage(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(LENGTH_BYTES + message.length);
  framed[0] = message.length >>> 8;
  framed[1] = message.length;
  framed.set(message, LENGTH_BYTES);
  return framed;
}

/** Cuts a byte stream into handshake messages. Holds no more than one, and nothing when it comes in one piece. */
export class HandshakeReader {
  #partial: Uint8Array | undefined;
  #filled = 0;

  /**
   * Takes bytes until a message is complete.
   *
   * @returns the number of bytes used, and the message, a view, when it is complete.
   * @throws TransportError `HANDSHAKE_FAILED` for a length that no message has.
   */
  read(chunk: Uint8Array): { used: number; message: Uint8Array | undefined } {
    if (this.#filled === 0 && chunk.length >= LENGTH_BYTES) {
      const length = messageLength(chunk[0]!, chunk[1]!);
      const end = LENGTH_BYTES + length;
      if (chunk.length >= end) return { used: end, message: chunk.subarray(LENGTH_BYTES, end) };
    }
    return this.#gather(chunk);
  }

  #gather(chunk: Uint8Array): { used: number; message: Uint8Array | undefined } {
    let used = 0;
    while (used < chunk.length) {
      this.#partial ??= new Uint8Array(LENGTH_BYTES);
      const size = Math.min(this.#partial.length - this.#filled, chunk.length - used);
      this.#partial.set(chunk.subarray(used, used + size), this.#filled);
      this.#filled += size;
      used += size;
      if (this.#filled < this.#partial.length) break;
      if (this.#filled === LENGTH_BYTES) {
        const whole = new Uint8Array(LENGTH_BYTES + messageLength(this.#partial[0]!, this.#partial[1]!));
        whole.set(this.#partial);
        this.#partial = whole;
        continue;
      }
      const message = this.#partial.subarray(LENGTH_BYTES);
      this.#partial = undefined;
      this.#filled = 0;
      return { used, message };
    }
    return { used, message: undefined };
  }
}

function messageLength(high: number, low: number): number {
  const length = (high << 8) | low;
  if (length === 0 || length > MAX_HANDSHAKE_MESSAGE) {
    throw new TransportError('HANDSHAKE_FAILED', 'A handshake message has an impossible length.');
  }
  return length;
}
