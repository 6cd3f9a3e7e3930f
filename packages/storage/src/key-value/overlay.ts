import { compareBytes } from '../bytes.ts';
import type { Entry } from './key-value-store.ts';
import type { PhysicalRange } from './range.ts';

/** Which part of a walk a page stands for: behind `after` and up to `upTo`, or to the end. */
export interface Window {
  readonly range: PhysicalRange;
  readonly after: Uint8Array | undefined;
  readonly upTo: Uint8Array | undefined;
}

/** What was there before later writes; laid over the living store it gives a snapshot. */
export interface Overlay {
  /** Keeps the values that these keys have before they are written, unless it has older ones. */
  keep(keys: readonly Uint8Array[], values: readonly (Uint8Array | undefined)[]): void;
  /** The value at the snapshot's moment, by the living one that was read before. */
  valueOf(key: Uint8Array, living: Uint8Array | undefined): Uint8Array | undefined;
  /** A page of living entries as it was at the snapshot's moment. */
  merge(page: readonly Entry[], window: Window): Entry[];
}

/** An overlay for a snapshot that begins now. */
export function createOverlay(): Overlay {
  const kept = new Map<string, { key: Uint8Array; value: Uint8Array | undefined }>();
  return {
    keep: (keys, values) => {
      for (const [i, key] of keys.entries()) {
        const name = nameOf(key);
        if (!kept.has(name)) kept.set(name, { key, value: values[i] });
      }
    },
    valueOf: (key, living) => {
      const old = kept.get(nameOf(key));
      return old === undefined ? living : old.value?.slice();
    },
    merge: (page, window) => {
      if (kept.size === 0) return [...page];
      const merged = page.filter(([key]) => !kept.has(nameOf(key)));
      for (const { key, value } of kept.values()) {
        if (value !== undefined && isWithin(key, window)) merged.push([key.slice(), value.slice()]);
      }
      const sign = window.range.reverse ? -1 : 1;
      return merged.sort(([a], [b]) => sign * compareBytes(a, b));
    },
  };
}

function isWithin(key: Uint8Array, { range, after, upTo }: Window): boolean {
  if (compareBytes(key, range.gte) < 0) return false;
  if (range.lt !== undefined && compareBytes(key, range.lt) >= 0) return false;
  const sign = range.reverse ? -1 : 1;
  if (after !== undefined && sign * compareBytes(key, after) <= 0) return false;
  return upTo === undefined || sign * compareBytes(key, upTo) <= 0;
}

function nameOf(key: Uint8Array): string {
  let name = '';
  for (const byte of key) name += String.fromCharCode(byte);
  return name;
}
