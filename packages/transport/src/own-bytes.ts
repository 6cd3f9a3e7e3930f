/** Copies a small view: it would keep the whole record that it lies in. */
export function ownBytes(payload: Uint8Array): Uint8Array {
  return payload.length * 2 < payload.buffer.byteLength ? new Uint8Array(payload) : payload;
}
