import { compareBytes } from '../bytes.ts';
import type { Driver, DriverIterator, DriverOperation, DriverView } from '../key-value/driver.ts';
import type { Entry, KeyValueStore, StoreLimits } from '../key-value/key-value-store.ts';
import type { PhysicalRange } from '../key-value/range.ts';
import { locate, type SortedPages, withEntry, withoutEntry } from '../key-value/sorted-pages.ts';
import { createStore } from '../key-value/store.ts';

/** Options of {@link createMemoryStore}. */
export interface MemoryStoreOptions {
  readonly limits?: StoreLimits | undefined;
}

/** A store that lives and dies with the process; a snapshot costs nothing. */
export function createMemoryStore({ limits }: MemoryStoreOptions = {}): KeyValueStore {
  let pages: SortedPages = [];
  const driver: Driver = {
    get: async (key) => lookUp(pages, key),
    iterate: (range) => iteratePages(pages, range),
    write: async (operations: Iterable<DriverOperation>) => {
      let next = pages;
      for (const operation of operations) {
        const { key } = operation;
        next =
          operation.type === 'del'
            ? withoutEntry(next, key)
            : withEntry(next, [copyOf(key), copyOf(operation.value)]);
      }
      pages = next;
    },
    snapshot: () => viewOf(pages),
    compact: async () => {},
    storedBytes: async () => undefined,
    close: () => {
      pages = [];
    },
  };
  return createStore(driver, limits);
}

function viewOf(pages: SortedPages): DriverView {
  return {
    get: async (key) => lookUp(pages, key),
    iterate: (range) => iteratePages(pages, range),
    close: () => {},
  };
}

function lookUp(pages: SortedPages, key: Uint8Array): Uint8Array | undefined {
  const { page, index, isPresent } = locate(pages, key);
  return isPresent ? copyOf(pages[page]![index]![1]) : undefined;
}

function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function iteratePages(pages: SortedPages, range: PhysicalRange): DriverIterator {
  const entries = range.reverse ? descending(pages, range) : ascending(pages, range);
  return {
    nextMany: async (size, skip) => {
      const page: Entry[] = [];
      while (page.length < size) {
        const { value, done } = entries.next();
        if (done) break;
        page.push([copyOf(value[0].subarray(skip)), copyOf(value[1])]);
      }
      return page;
    },
    close: () => {},
  };
}

function* ascending(pages: SortedPages, { gte, lt }: PhysicalRange): Generator<Entry, undefined> {
  let { page, index } = locate(pages, gte);
  for (; page < pages.length; page++, index = 0) {
    for (; index < pages[page]!.length; index++) {
      const entry = pages[page]![index]!;
      if (lt !== undefined && compareBytes(entry[0], lt) >= 0) return;
      yield entry;
    }
  }
}

function* descending(pages: SortedPages, { gte, lt }: PhysicalRange): Generator<Entry, undefined> {
  if (pages.length === 0) return;
  const end = lt === undefined ? undefined : locate(pages, lt);
  let page = end?.page ?? pages.length - 1;
  let index = (end?.index ?? pages[page]!.length) - 1;
  for (; page >= 0; page--, index = (pages[page]?.length ?? 0) - 1) {
    for (; index >= 0; index--) {
      const entry = pages[page]![index]!;
      if (compareBytes(entry[0], gte) < 0) return;
      yield entry;
    }
  }
}
