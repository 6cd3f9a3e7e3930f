/** Checks of decoded fields that the signed structures share. */

/** The latest time that is accepted, in milliseconds: what a number holds exactly. */
const MAX_TIME = Number.MAX_SAFE_INTEGER;

/** Whether a value is a key or hash of 32 bytes. */
export function isBytes32(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length === 32;
}

/** Whether a value is a time in milliseconds since the epoch. */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_TIME;
}

/** @throws RangeError when it is no time in milliseconds since the epoch */
export function assertTime(name: string, value: number): void {
  if (!isTime(value)) throw new RangeError(`${name} is a time in whole milliseconds since the epoch`);
}

/** Clocks of honest peers may differ by this much, as UCAN recommends ±60 seconds. */
export const DEFAULT_CLOCK_SKEW_MS = 60_000;
/** A skew beyond this is no skew. */
const MAX_CLOCK_SKEW_MS = 24 * 60 * 60 * 1000;

/** @throws RangeError when the skew is negative or longer than a day */
export function assertClockSkew(value: number): void {
  if (!Number.isFinite(value) || value < 0 || value > MAX_CLOCK_SKEW_MS) {
    throw new RangeError('a clock skew is 0 to 24 hours in milliseconds');
  }
}
