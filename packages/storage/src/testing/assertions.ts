import { compareBytes, toHex } from '../bytes.ts';
import { isStorageError, type StorageErrorCode } from '../errors.ts';
import type { Entry } from '../key-value/key-value-store.ts';

/** The suite's own assertions, for it runs in a browser too. */
export function assertEqual(actual: unknown, expected: unknown, claim: string): void {
  if (actual !== expected) throw new Error(`${claim}: expected ${String(expected)}, got ${String(actual)}`);
}

/** Compares bytes, or their absence. */
export function assertBytes(
  actual: Uint8Array | undefined,
  expected: Uint8Array | undefined,
  claim: string,
): void {
  const isSame =
    actual === undefined || expected === undefined
      ? actual === expected
      : compareBytes(actual, expected) === 0;
  if (!isSame) throw new Error(`${claim}: expected ${shown(expected)}, got ${shown(actual)}`);
}

/** Compares keys in their order. */
export function assertKeys(
  actual: readonly Uint8Array[],
  expected: readonly Uint8Array[],
  claim: string,
): void {
  assertEqual(actual.map(toHex).join(' '), expected.map(toHex).join(' '), claim);
}

/** Compares entries in their order. */
export function assertEntries(actual: readonly Entry[], expected: readonly Entry[], claim: string): void {
  const text = (entries: readonly Entry[]) => entries.map(([k, v]) => `${toHex(k)}=${toHex(v)}`).join(' ');
  assertEqual(text(actual), text(expected), claim);
}

/** Expects a StorageError of this code. */
export async function assertCode(
  promise: Promise<unknown>,
  code: StorageErrorCode,
  claim: string,
): Promise<void> {
  const error = await rejection(promise, claim);
  if (!isStorageError(error, code)) throw new Error(`${claim}: expected ${code}, got ${String(error)}`);
}

/** Expects an error of this class, for bad arguments. */
export async function assertRejects(
  promise: Promise<unknown>,
  kind: new (...args: never[]) => Error,
  claim: string,
): Promise<void> {
  const error = await rejection(promise, claim);
  if (!(error instanceof kind)) throw new Error(`${claim}: expected ${kind.name}, got ${String(error)}`);
}

async function rejection(promise: Promise<unknown>, claim: string): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`${claim}: expected a rejection`);
}

function shown(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? 'undefined' : `0x${toHex(bytes)}`;
}
