import type { Entry, IterateOptions, KeyValueStore, Reader } from '../key-value/key-value-store.ts';

/** Declares a test that gets an empty store. */
export type Test = (claim: string, run: (store: KeyValueStore) => Promise<void>) => void;

/** Puts so many entries of one byte each. */
export async function fill(store: KeyValueStore, count: number): Promise<void> {
  await store.batch(
    Array.from({ length: count }, (_, i) => ({ type: 'put', key: bytes(i), value: bytes(i) })),
  );
}

/** All entries of a range. */
export async function entriesOf(reader: Reader, options?: IterateOptions): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of reader.iterate(options)) entries.push(entry);
  return entries;
}

/** All keys of a range. */
export async function keysOf(reader: Reader, options?: IterateOptions): Promise<Uint8Array[]> {
  return (await entriesOf(reader, options)).map(([key]) => key);
}

/** The bytes as an array. */
export function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}
