import { compareBytes, concatBytes, prefixEnd } from '../bytes.ts';
import type { IterateOptions } from './key-value-store.ts';

/** Bounds on physical keys: `gte` and `lt` always, which express all others. */
export interface PhysicalRange {
  readonly gte: Uint8Array;
  /** undefined: no upper bound */
  readonly lt: Uint8Array | undefined;
  readonly reverse: boolean;
  readonly limit: number;
}

/** The range of physical keys for these options inside of `namespace`. */
export function physicalRange(namespace: Uint8Array, options: IterateOptions): PhysicalRange {
  const { prefix, gt, gte, lt, lte, reverse = false, limit = Number.POSITIVE_INFINITY } = options;
  if (limit !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(limit) || limit < 0)) {
    throw new RangeError('limit must be a non-negative integer');
  }
  // The successor of a key is the key with a zero behind it.
  const lower = [prefix, gte, gt && successor(gt)].filter((bound) => bound !== undefined);
  const upper = [lt, lte && successor(lte)].filter((bound) => bound !== undefined);
  const physicalUpper: Uint8Array[] = upper.map((bound) => concatBytes(namespace, checked(bound)));
  const end = prefixEnd(concatBytes(namespace, prefix ?? new Uint8Array(0)));
  if (end !== undefined) physicalUpper.push(end);
  return {
    gte: lower.map((bound) => concatBytes(namespace, checked(bound))).reduce<Uint8Array>(larger, namespace),
    lt: physicalUpper.length === 0 ? undefined : physicalUpper.reduce(smaller),
    reverse,
    limit,
  };
}

/** Whether no key can lie in the range. */
export function isEmptyRange({ gte, lt, limit }: PhysicalRange): boolean {
  return limit === 0 || (lt !== undefined && compareBytes(gte, lt) >= 0);
}

function successor(key: Uint8Array): Uint8Array {
  return concatBytes(checked(key), new Uint8Array(1));
}

function checked(bound: Uint8Array): Uint8Array {
  if (!(bound instanceof Uint8Array)) throw new TypeError('a bound must be a Uint8Array');
  return bound;
}

function larger(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareBytes(a, b) >= 0 ? a : b;
}

function smaller(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareBytes(a, b) <= 0 ? a : b;
}
