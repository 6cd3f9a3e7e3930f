/** The empty byte string, never written to. */
export const EMPTY: Uint8Array = new Uint8Array(0);

/** The longest input of one call: node:crypto takes less than 2 GiB, libsodium's memory is no larger. */
export const MAX_LENGTH: number = 2 ** 30;

// Web Crypto answers at most this many bytes per call.
const RANDOM_BLOCK = 65_536;

/** Fresh bytes of the system's generator. */
export function randomBytes(length: number): Uint8Array {
  assertLength('length', length, 0, 2 ** 31 - 1);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += RANDOM_BLOCK) {
    globalThis.crypto.getRandomValues(bytes.subarray(at, at + RANDOM_BLOCK));
  }
  return bytes;
}

/** Whether both have the same bytes, in a time that depends on the lengths only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  assertBytes('a', a);
  assertBytes('b', b);
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/** A copy in plain memory of its own. `slice` is not: on a Buffer it answers a view of the caller's memory. */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** One fresh array with the bytes of all parts. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(totalLength(parts));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** The sum of the lengths. */
export function totalLength(parts: readonly Uint8Array[]): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}

/** Refuses anything but a Uint8Array, and a wrong length when one is given. The value is never printed. */
export function assertBytes(name: string, value: Uint8Array, length?: number): void {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${name} must be a Uint8Array`);
  if (length !== undefined && value.length !== length) {
    throw new RangeError(`${name} must have ${length} bytes, not ${value.length}`);
  }
}

/** Refuses anything but a Uint8Array of at most {@link MAX_LENGTH} bytes. */
export function assertData(name: string, value: Uint8Array): void {
  assertBytes(name, value);
  if (value.length > MAX_LENGTH) throw new RangeError(`${name} must have at most ${MAX_LENGTH} bytes`);
}

/** Refuses a number that is not an integer of the range. */
export function assertLength(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value)) throw new TypeError(`${name} must be an integer`);
  if (value < min || value > max) throw new RangeError(`${name} must be ${min} to ${max}, not ${value}`);
}
