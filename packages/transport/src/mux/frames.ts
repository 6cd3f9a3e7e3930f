import type { TransportErrorCode } from '../errors.ts';

/*
 * A frame, NZ-WIRE-01 §3. Several follow each other in the plaintext of a record; none spans two records.
 *
 *   0        1                 4                          8
 *   +--------+--------+--------+--------+--------+--------+--------+--------+----------
 *   |  type  |  length of the payload   |          number of the stream     | payload …
 *   +--------+--------+--------+--------+--------+--------+--------+--------+----------
 */

/** Bytes in front of every payload, NZ-WIRE-01 §3. */
export const HEADER_LENGTH = 8;

/** Most payload bytes of one DATA frame: with its header and 1 KiB of other frames it fits a record, NZ-WIRE-01 §3. */
export const MAX_FRAME_DATA = 65_536;

/** Most bytes of a protocol name, NZ-WIRE-01 §4.1. */
export const MAX_PROTOCOL_LENGTH = 255;

/** Window of a stream before any WINDOW frame, NZ-WIRE-01 §5. */
export const INITIAL_STREAM_WINDOW: number = 1024 * 1024;

/** Window of a connection of version 2 before any WINDOW frame, NZ-WIRE-01 §5. */
export const INITIAL_CONNECTION_WINDOW: number = 4 * 1024 * 1024;

/** No window may become larger, NZ-WIRE-01 §5. */
export const MAX_WINDOW = 0x7fff_ffff;

/** Types from here on may be skipped by those who do not know them, NZ-WIRE-01 §3. */
export const FIRST_SKIPPABLE_TYPE = 0x80;

/** Version of NZ-WIRE-01 without connection windows and without FIN-ACK, NZ-WIRE-01 §9. */
export const WIRE_VERSION_1 = 1;
/** Version of NZ-WIRE-01 that this package prefers. */
export const WIRE_VERSION_2 = 2;

/** Frame types, NZ-WIRE-01 §4. */
export const FrameType = {
  open: 0x01,
  data: 0x02,
  window: 0x03,
  fin: 0x04,
  finAck: 0x05,
  reset: 0x06,
  ping: 0x07,
  pong: 0x08,
  goAway: 0x09,
} as const;

/** Numbers in RESET and GOAWAY frames, NZ-WIRE-01 §7. From 256 on they belong to the application. */
export const ResetCode = {
  /** Nothing is wrong; the stream or connection is no longer wanted. */
  cancelled: 0,
  /** The stream was not looked at: it may be opened again elsewhere. */
  refused: 1,
  unsupportedProtocol: 2,
  /** The application failed. */
  internal: 3,
  protocolError: 4,
  flowControl: 5,
  flood: 6,
  /** Too many unread bytes, or bytes that the other side does not take: it may be tried again later. */
  memory: 7,
  timeout: 8,
  /** The receiver holds as many bytes of messages as it may: it may be tried again later. */
  overBudget: 9,
} as const;

/** Smallest number of RESET that an application may give a meaning of its own. */
export const FIRST_APPLICATION_CODE = 256;

/** What a RESET's number means to the caller who branches on `code`. */
export function resetErrorCode(code: number): TransportErrorCode {
  if (code === ResetCode.refused) return 'STREAM_REFUSED';
  if (code === ResetCode.unsupportedProtocol) return 'UNSUPPORTED_PROTOCOL';
  return 'STREAM_RESET';
}

/** Writes a header at `offset`. `target` has room for it. */
export function encodeHeader(
  target: Uint8Array,
  offset: number,
  type: number,
  length: number,
  stream: number,
): void {
  target[offset] = type;
  target[offset + 1] = length >>> 16;
  target[offset + 2] = length >>> 8;
  target[offset + 3] = length;
  target[offset + 4] = stream >>> 24;
  target[offset + 5] = stream >>> 16;
  target[offset + 6] = stream >>> 8;
  target[offset + 7] = stream;
}

/** Reads 24 bits, big-endian. */
export function readUint24(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 16) | (bytes[offset + 1]! << 8) | bytes[offset + 2]!;
}

/** Reads 32 bits, big-endian. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>>
    0
  );
}

/** Writes 32 bits, big-endian. */
export function writeUint32(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >>> 24;
  target[offset + 1] = value >>> 16;
  target[offset + 2] = value >>> 8;
  target[offset + 3] = value;
}

/** Says whether a text can be a protocol name: 1 to 255 printable ASCII characters without spaces, NZ-WIRE-01 §4.1. */
export function isProtocolName(name: string): boolean {
  return name.length <= MAX_PROTOCOL_LENGTH && /^[\x21-\x7e]+$/.test(name);
}

/** Reads a protocol name; undefined when it is none. The range is within `bytes`. */
export function decodeProtocolName(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end === start) return undefined;
  for (let i = start; i < end; i += 1) {
    const character = bytes[i]!;
    if (character < 0x21 || character > 0x7e) return undefined;
  }
  return String.fromCharCode.apply(null, bytes.subarray(start, end) as unknown as number[]);
}
