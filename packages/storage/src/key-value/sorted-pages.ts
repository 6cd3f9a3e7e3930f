import { compareBytes } from '../bytes.ts';
import type { Entry } from './key-value-store.ts';

/** Ordered entries that are never changed in place, so that a snapshot is a reference. */
export type SortedPages = readonly (readonly Entry[])[];

// A write copies one page and the list of pages: for 100,000 entries, 256 and 400 references.
const PAGE_ENTRIES = 256;

/** Where a key is, or where it would be inserted. */
export interface Position {
  readonly page: number;
  readonly index: number;
  readonly isPresent: boolean;
}

/** The position of the first entry whose key is not below `key`. */
export function locate(pages: SortedPages, key: Uint8Array): Position {
  let low = 0;
  let high = pages.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (compareBytes(pages[middle]![0]![0], key) <= 0) low = middle;
    else high = middle - 1;
  }
  const entries = pages[low] ?? [];
  let from = 0;
  let to = entries.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (compareBytes(entries[middle]![0], key) < 0) from = middle + 1;
    else to = middle;
  }
  const found = entries[from];
  return { page: low, index: from, isPresent: found !== undefined && compareBytes(found[0], key) === 0 };
}

/** The same entries with this one put in or replaced. */
export function withEntry(pages: SortedPages, entry: Entry): SortedPages {
  if (pages.length === 0) return [[entry]];
  const { page, index, isPresent } = locate(pages, entry[0]);
  const entries = pages[page]!.toSpliced(index, isPresent ? 1 : 0, entry);
  const half = entries.length >> 1;
  const replacement =
    entries.length > PAGE_ENTRIES ? [entries.slice(0, half), entries.slice(half)] : [entries];
  return pages.toSpliced(page, 1, ...replacement);
}

/** The same entries without this key. */
export function withoutEntry(pages: SortedPages, key: Uint8Array): SortedPages {
  const { page, index, isPresent } = locate(pages, key);
  if (!isPresent) return pages;
  const entries = pages[page]!.toSpliced(index, 1);
  return entries.length === 0 ? pages.toSpliced(page, 1) : pages.with(page, entries);
}

/** Pages of entries that are in order already; they have room to grow. */
export function pagesOf(entries: readonly Entry[]): SortedPages {
  const pages: Entry[][] = [];
  const size = PAGE_ENTRIES - PAGE_ENTRIES / 4;
  for (let from = 0; from < entries.length; from += size) pages.push(entries.slice(from, from + size));
  return pages;
}
