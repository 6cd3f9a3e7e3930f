import { compareBytes } from '../bytes.ts';
import type { Entry, EntryIterator, IterateOptions, Reader } from '../key-value/key-value-store.ts';
import { PagedIterator, type PageSource } from '../key-value/paged-iterator.ts';
import { isEmptyRange, type PhysicalRange, physicalRange } from '../key-value/range.ts';
import { assertEncryptedOpen, type EncryptedState, rolledBack } from './encrypted-state.ts';
import { expectedKeys, isFresh, type Versions } from './freshness.ts';
import { type RecordNamespace, withoutNamespace } from './record.ts';

/** What is walked over: the living store or a snapshot, and the versions of that moment. */
export interface WalkTarget {
  readonly state: EncryptedState;
  readonly reader: Reader;
  readonly namespace: RecordNamespace;
  readonly versions: Versions | undefined;
}

/** Iterates over the decrypted entries of a namespace. */
export function walkDecrypted(target: WalkTarget, options: IterateOptions): EntryIterator {
  const { state } = target;
  assertEncryptedOpen(state, false);
  const source = state.codec.isBlinded ? blindedSource(target, options) : clearSource(target, options);
  const { limit = Number.POSITIVE_INFINITY, signal } = options;
  const iterator: PagedIterator = new PagedIterator(source, {
    limit,
    signal,
    onEnd: () => state.iterators.delete(iterator),
  });
  state.iterators.add(iterator);
  return iterator;
}

/** In the order of the base store; the next page is fetched while this one is decrypted. */
function clearSource(
  { state, reader, namespace, versions }: WalkTarget,
  options: IterateOptions,
): PageSource {
  const { codec } = state;
  const range = physicalRange(namespace.id, options);
  if (isEmptyRange(range)) return { fetch: async () => [], close: () => {} };
  const { gte, lt, reverse, limit } = range;
  const records = reader.iterate({ gte, lt, reverse, limit, signal: options.signal });
  const check = versions === undefined ? undefined : createCompletenessCheck(versions, range);
  const skip = namespace.id.length;
  let ahead: Promise<Entry[]> | undefined;
  const fetchAhead = (size: number): Promise<Entry[]> => {
    const page = records.nextMany(size);
    page.catch(() => {});
    return page;
  };
  return {
    fetch: async (size) => {
      const page = await (ahead ?? records.nextMany(size));
      assertEncryptedOpen(state, false);
      // A first page may be all that is wanted.
      ahead = page.length > 0 && size > FIRST_PAGES ? fetchAhead(size) : undefined;
      check?.(page);
      for (const entry of page) {
        entry[1] = codec.openValue(namespace, entry[0], entry[1]);
        entry[0] = entry[0].subarray(skip);
      }
      return page;
    },
    close: async () => {
      await records.return();
    },
  };
}

const FIRST_PAGES = 16;

/** Blinded keys have no order of their own: the namespace is read as a whole and sorted. */
function blindedSource(target: WalkTarget, options: IterateOptions): PageSource {
  const range = physicalRange(new Uint8Array(0), options);
  const { state, reader, namespace, versions } = target;
  const whole = physicalRange(namespace.id, {});
  const records = reader.iterate({ gte: whole.gte, lt: whole.lt, signal: options.signal });
  const check = versions === undefined ? undefined : createCompletenessCheck(versions, whole);
  let sorted: Entry[] | undefined;
  let position = 0;
  const load = async (): Promise<Entry[]> => {
    const entries: Entry[] = [];
    for (;;) {
      const page = await records.nextMany(1_000);
      assertEncryptedOpen(state, false);
      check?.(page);
      if (page.length === 0) break;
      for (const [key, record] of page) {
        const entry = withoutNamespace(state.codec.open(key, record));
        if (isWithin(entry[0], range)) entries.push(entry);
      }
    }
    entries.sort(([a], [b]) => compareBytes(a, b));
    return range.reverse ? entries.reverse() : entries;
  };
  return {
    fetch: async (size) => {
      sorted ??= await load();
      position += size;
      return sorted.slice(position - size, position);
    },
    close: async () => {
      sorted = [];
      await records.return();
    },
  };
}

function isWithin(key: Uint8Array, { gte, lt }: PhysicalRange): boolean {
  return compareBytes(key, gte) >= 0 && (lt === undefined || compareBytes(key, lt) < 0);
}

/** Refuses a page that has an old record, and the end when one was missing. */
function createCompletenessCheck(versions: Versions, range: PhysicalRange): (page: readonly Entry[]) => void {
  const expected = [...expectedKeys(versions, range)];
  if (range.reverse) expected.reverse();
  let position = 0;
  let remaining = range.limit;
  return (page) => {
    for (const [key, record] of page) {
      if (!isFresh(versions, key, record)) throw rolledBack();
      const next = expected[position];
      const order = next === undefined ? undefined : compareBytes(next, key);
      if (order === 0) position++;
      else if (order !== undefined && (range.reverse ? order > 0 : order < 0)) throw rolledBack();
    }
    remaining -= page.length;
    if (page.length === 0 && remaining > 0 && position < expected.length) throw rolledBack();
  };
}
