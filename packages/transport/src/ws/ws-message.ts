import { concat } from '../concat.ts';

/**
 * How a byte stream is carried in WebSocket messages: binary messages in order, cut anywhere; an empty binary message
 * means "no more bytes from this side" (a WebSocket has no half-close of its own); a text message is an error.
 */

/** Longest message that is accepted. Longest that is sent is half of it. */
export const MAX_MESSAGE_SIZE: number = 256 * 1024;

/** Bytes waiting to be sent above which `write` answers false: a few records of 64 KiB. */
export const WS_HIGH_WATER: number = 256 * 1024;

/** Chunks shorter than this are joined: a copy of 8 KiB is cheaper than a frame and a system call. */
const JOIN_BELOW = 8 * 1024;

/** Groups the chunks of one write into messages: large chunks go alone and uncopied, small neighbours together. */
export function packMessages(chunks: readonly Uint8Array[]): Uint8Array[] {
  const messages: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  let smallBytes = 0;
  const flush = (): void => {
    if (small.length > 0) messages.push(small.length === 1 ? small[0]! : concat(small, smallBytes));
    small = [];
    smallBytes = 0;
  };
  for (const chunk of chunks) {
    if (chunk.length === 0) continue;
    if (chunk.length < JOIN_BELOW) {
      if (smallBytes + chunk.length > MAX_MESSAGE_SIZE / 2) flush();
      small.push(chunk);
      smallBytes += chunk.length;
      continue;
    }
    flush();
    for (let at = 0; at < chunk.length; at += MAX_MESSAGE_SIZE / 2) {
      messages.push(chunk.subarray(at, at + MAX_MESSAGE_SIZE / 2));
    }
  }
  flush();
  return messages;
}
