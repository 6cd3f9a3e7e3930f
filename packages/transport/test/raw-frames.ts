import { encodeHeader, FrameType } from '../src/mux/frames.ts';

/** Builds records by hand, as a hostile or older peer would. */
export function frame(type: number, id: number, payload: ArrayLike<number> = []): Uint8Array {
  const bytes = new Uint8Array(8 + payload.length);
  encodeHeader(bytes, 0, type, payload.length, id);
  bytes.set(payload, 8);
  return bytes;
}

export function uint32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

export const open = (id: number, name = 'x', data: ArrayLike<number> = []): Uint8Array =>
  frame(FrameType.open, id, [name.length, ...new TextEncoder().encode(name), ...Array.from(data)]);
export const data = (id: number, bytes: ArrayLike<number>): Uint8Array => frame(FrameType.data, id, bytes);
export const windowFrame = (id: number, size: number): Uint8Array =>
  frame(FrameType.window, id, uint32(size));
export const fin = (id: number): Uint8Array => frame(FrameType.fin, id);
export const finAck = (id: number): Uint8Array => frame(FrameType.finAck, id);
export const reset = (id: number, code = 0): Uint8Array => frame(FrameType.reset, id, uint32(code));
export const ping = (value = 0): Uint8Array => frame(FrameType.ping, 0, [0, 0, 0, 0, ...uint32(value)]);
export const pong = (value = 0): Uint8Array => frame(FrameType.pong, 0, [0, 0, 0, 0, ...uint32(value)]);
export const goAway = (last: number, code = 0): Uint8Array =>
  frame(FrameType.goAway, 0, [...uint32(last), ...uint32(code)]);
