import { TransportError } from '../errors.ts';

/** Turns of the event loop: work that is ready gets done, whatever the machine's speed. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setTimeout(resolve, 1));
}

export function bytes(length: number): Uint8Array {
  return new Uint8Array(length).fill(1);
}

/** Bytes that depend on their position, with a period that is no power of two. */
export function pattern(length: number, from: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) out[i] = (from + i) % 251;
  return out;
}

export function offsetOf(sizes: readonly number[], index: number): number {
  return sizes.slice(0, index).reduce((sum, size) => sum + size, 0);
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function check(condition: boolean, claim: string): void {
  if (!condition) throw new Error(`not so: ${claim}`);
}

export async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('not so: it is rejected');
}

export async function rejects(promise: Promise<unknown>, code: TransportError['code']): Promise<void> {
  const error = await failure(promise);
  check(
    error instanceof TransportError && error.code === code,
    `rejected with ${code} (was ${String(error)})`,
  );
}
