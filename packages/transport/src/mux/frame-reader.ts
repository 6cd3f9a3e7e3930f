import {
  decodeProtocolName,
  FIRST_SKIPPABLE_TYPE,
  FrameType,
  HEADER_LENGTH,
  readUint24,
  readUint32,
} from './frames.ts';
import { protocolError } from './wire-errors.ts';

/** Takes frames whose form is right; whether they are allowed is for the handler to say. */
export interface FrameHandler {
  /** No further frame of the record is wanted in this turn; it may be wanted in a later one. */
  readonly isStopped: boolean;
  /** `data` is a view of the record; undefined when the frame has none. */
  onOpen(id: number, protocol: string, data: Uint8Array | undefined): void;
  onData(id: number, data: Uint8Array): void;
  onWindow(id: number, size: number): void;
  onFin(id: number): void;
  onFinAck(id: number): void;
  onReset(id: number, code: number): void;
  onPing(high: number, low: number): void;
  onPong(high: number, low: number): void;
  onGoAway(lastStream: number, code: number): void;
}

/**
 * Reads the frames of one record, NZ-WIRE-01 §3 and §4.
 *
 * @returns where it stopped: the length of the record, unless the handler wanted no more
 * @throws TransportError `PROTOCOL_ERROR` when a frame is malformed; what `handler` throws.
 */
export function readFrames(bytes: Uint8Array, handler: FrameHandler): number {
  let offset = 0;
  while (offset < bytes.length && !handler.isStopped) {
    if (bytes.length - offset < HEADER_LENGTH) throw protocolError('A frame header is cut off.');
    const start = offset + HEADER_LENGTH;
    const end = start + readUint24(bytes, offset + 1);
    if (end > bytes.length) throw protocolError('A frame is longer than its record.');
    const type = bytes[offset]!;
    const id = readUint32(bytes, offset + 4);
    if (type === FrameType.data) {
      if (start === end) throw protocolError('A DATA frame is empty.');
      handler.onData(id, bytes.subarray(start, end));
    } else if (type === FrameType.open) readOpen(bytes, id, start, end, handler);
    else readControl(bytes, type, id, start, end, handler);
    offset = end;
  }
  return offset;
}

function readOpen(bytes: Uint8Array, id: number, start: number, end: number, handler: FrameHandler): void {
  if (start === end) throw protocolError('OPEN has no name.');
  const dataStart = start + 1 + bytes[start]!;
  if (dataStart > end) throw protocolError('The name in OPEN is longer than the frame.');
  const protocol = decodeProtocolName(bytes, start + 1, dataStart);
  if (protocol === undefined) throw protocolError('The name in OPEN is not a protocol name.');
  handler.onOpen(id, protocol, dataStart === end ? undefined : bytes.subarray(dataStart, end));
}

function readControl(
  bytes: Uint8Array,
  type: number,
  id: number,
  start: number,
  end: number,
  handler: FrameHandler,
): void {
  const length = controlLength(type);
  if (length === undefined) {
    if (type < FIRST_SKIPPABLE_TYPE) throw protocolError('Unknown frame type.');
    return;
  }
  if (end - start !== length) throw protocolError('A frame of fixed length has another one.');
  if (type >= FrameType.ping && id !== 0) throw protocolError('A frame of the connection names a stream.');
  if (type === FrameType.window) handler.onWindow(id, readUint32(bytes, start));
  else if (type === FrameType.fin) handler.onFin(id);
  else if (type === FrameType.finAck) handler.onFinAck(id);
  else if (type === FrameType.reset) handler.onReset(id, readUint32(bytes, start));
  else if (type === FrameType.ping) handler.onPing(readUint32(bytes, start), readUint32(bytes, start + 4));
  else if (type === FrameType.pong) handler.onPong(readUint32(bytes, start), readUint32(bytes, start + 4));
  else handler.onGoAway(readUint32(bytes, start), readUint32(bytes, start + 4));
}

/** Payload length of a control frame; undefined for a type that is not one. */
function controlLength(type: number): number | undefined {
  if (type === FrameType.fin || type === FrameType.finAck) return 0;
  if (type === FrameType.window || type === FrameType.reset) return 4;
  if (type === FrameType.ping || type === FrameType.pong || type === FrameType.goAway) return 8;
  return undefined;
}
