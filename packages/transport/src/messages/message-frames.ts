import { readUint24, readUint32, writeUint32 } from '../mux/frames.ts';
import { malformed } from '../mux/wire-errors.ts';

/*
 * A frame of the message layer, NZ-WIRE-01 §8, in the bytes of one stream. A long message is several frames in a row.
 *
 *   0        1                 4                          8
 *   +--------+--------+--------+--------+--------+--------+--------+--------+----------
 *   |M C kind|  length of the payload   |           number of the message   | payload …
 *   +--------+--------+--------+--------+--------+--------+--------+--------+----------
 *    M: more frames of the message follow. C: the payload is compressed: algorithm (1), length when unpacked (3), bytes.
 */

/** Bytes in front of every payload. */
export const MESSAGE_HEADER_LENGTH = 8;

/** Most bytes of a message in one frame; a longer one takes several. */
export const MAX_MESSAGE_PAYLOAD = 65_536;

/** Bytes in front of a compressed payload. */
export const COMPRESSION_HEADER_LENGTH = 4;

/** What a frame of the message layer is part of. */
export const MessageKind = {
  message: 1,
  request: 2,
  response: 3,
  /** The request failed; the payload is a 32-bit code. */
  failure: 4,
  /** The asker no longer wants the answer. */
  cancel: 5,
} as const;

const KIND_MASK = 0x3f;
const MORE = 0x80;
const COMPRESSED = 0x40;

/** The eight bytes in front of a payload. */
export interface MessageHeader {
  readonly kind: number;
  readonly hasMore: boolean;
  readonly isCompressed: boolean;
  readonly length: number;
  readonly id: number;
}

export function encodeMessageHeader(target: Uint8Array, header: MessageHeader): void {
  target[0] = header.kind | (header.hasMore ? MORE : 0) | (header.isCompressed ? COMPRESSED : 0);
  target[1] = header.length >>> 16;
  target[2] = header.length >>> 8;
  target[3] = header.length;
  writeUint32(target, 4, header.id);
}

/** @throws TransportError `MALFORMED` */
export function decodeMessageHeader(bytes: Uint8Array, offset: number): MessageHeader {
  const first = bytes[offset]!;
  const header: MessageHeader = {
    kind: first & KIND_MASK,
    hasMore: (first & MORE) !== 0,
    isCompressed: (first & COMPRESSED) !== 0,
    length: readUint24(bytes, offset + 1),
    id: readUint32(bytes, offset + 4),
  };
  if (header.kind < MessageKind.message || header.kind > MessageKind.cancel)
    throw malformed('Unknown kind of message.');
  const least = header.isCompressed ? COMPRESSION_HEADER_LENGTH : 0;
  if (header.length > MAX_MESSAGE_PAYLOAD || header.length < least)
    throw malformed('Impossible length of a message.');
  if (header.hasMore && header.length === least) throw malformed('An empty frame says that more follows.');
  return header;
}
