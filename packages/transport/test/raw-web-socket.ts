/** How a frame of RFC 6455 §5.2 says what it is; all of it may lie. */
export interface FrameShape {
  /** @defaultValue true */
  readonly isLast?: boolean;
  /** As a client sends it. The key is not zero. @defaultValue false */
  readonly isMasked?: boolean;
  /** Three bits that mean nothing. @defaultValue 0 */
  readonly reserved?: number;
  /** @defaultValue that of the payload */
  readonly length?: number;
}

const MASK = [1, 2, 3, 4];

/** One frame of a WebSocket. */
export function webSocketFrame(
  opcode: number,
  payload: Uint8Array,
  { isLast = true, isMasked = false, reserved = 0, length = payload.length }: FrameShape = {},
): Uint8Array {
  const bytes = [(isLast ? 0x80 : 0) | (reserved << 4) | opcode];
  const mask = isMasked ? 0x80 : 0;
  if (length < 126) bytes.push(mask | length);
  else if (length < 65_536) bytes.push(mask | 126, length >> 8, length & 255);
  else {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, BigInt(length));
    bytes.push(mask | 127, ...new Uint8Array(view.buffer));
  }
  if (isMasked) bytes.push(...MASK);
  const start = bytes.length;
  const frame = new Uint8Array(start + payload.length);
  frame.set(bytes);
  for (const [i, byte] of payload.entries()) frame[start + i] = isMasked ? byte ^ MASK[i % 4]! : byte;
  return frame;
}
