import { StorageError } from '../errors.ts';
import type { BatchOperation, StoreLimits } from './key-value-store.ts';

/** Limits with nothing left open. */
export interface ResolvedLimits {
  readonly maxKeyBytes: number;
  readonly maxValueBytes: number;
  readonly maxBatchOperations: number;
}

/** The limits, with the defaults for what is not given. */
export function resolveLimits(limits: StoreLimits = {}): ResolvedLimits {
  // A key is held in memory by every index; a value is held whole, larger things are files.
  const { maxKeyBytes = 4_096, maxValueBytes = 16 * 1_024 * 1_024, maxBatchOperations = 100_000 } = limits;
  const resolved = { maxKeyBytes, maxValueBytes, maxBatchOperations };
  for (const [name, value] of Object.entries(resolved)) {
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a positive integer`);
  }
  return resolved;
}

/** @throws TypeError; StorageError `KEY_TOO_LARGE` */
export function checkKey(key: Uint8Array, namespaceBytes: number, limits: ResolvedLimits): void {
  if (!(key instanceof Uint8Array)) throw new TypeError('a key must be a Uint8Array');
  if (namespaceBytes + key.length > limits.maxKeyBytes) {
    throw new StorageError('KEY_TOO_LARGE', `a key may have ${limits.maxKeyBytes} bytes with its namespace`);
  }
}

/** @throws TypeError; StorageError `VALUE_TOO_LARGE` */
export function checkValue(value: Uint8Array, limits: ResolvedLimits): void {
  if (!(value instanceof Uint8Array)) throw new TypeError('a value must be a Uint8Array');
  if (value.length > limits.maxValueBytes) {
    throw new StorageError('VALUE_TOO_LARGE', `a value may have ${limits.maxValueBytes} bytes`);
  }
}

/** @throws TypeError; StorageError `BATCH_TOO_LARGE` */
export function checkBatch(operations: readonly BatchOperation[], limits: ResolvedLimits): void {
  if (!Array.isArray(operations)) throw new TypeError('a batch must be an array of operations');
  if (operations.length > limits.maxBatchOperations) {
    throw new StorageError('BATCH_TOO_LARGE', `a batch may have ${limits.maxBatchOperations} operations`);
  }
}
