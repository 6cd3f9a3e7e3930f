import { StorageError } from '../errors.ts';
import type { Entry, EntryIterator } from './key-value-store.ts';

/** Where a {@link PagedIterator} gets its entries. */
export interface PageSource {
  /** The next entries, at most `size`; an empty list means the end. */
  fetch(size: number): Promise<Entry[]>;
  close(): void | Promise<void>;
}

// A first page that is small keeps "the first entry" cheap; a later one amortises the way to the thread pool.
const FIRST_PAGE = 16;
const LATER_PAGE = 1_000;

/** Hands out entries one by one from pages that are fetched as a whole. */
export class PagedIterator implements EntryIterator {
  readonly #source: PageSource;
  readonly #signal: AbortSignal | undefined;
  readonly #onEnd: (() => void) | undefined;
  #page: Entry[] = [];
  #position = 0;
  #pageSize = FIRST_PAGE;
  #remaining: number;
  #ended = false;
  #closing: Promise<void> | undefined;
  #fetching: Promise<unknown> | undefined;

  constructor(
    source: PageSource,
    options: { limit: number; signal?: AbortSignal | undefined; onEnd?: (() => void) | undefined },
  ) {
    this.#source = source;
    this.#remaining = options.limit;
    this.#signal = options.signal;
    this.#onEnd = options.onEnd;
  }

  [Symbol.asyncIterator](): EntryIterator {
    return this;
  }

  next(): Promise<IteratorResult<Entry, undefined>> {
    if (this.#position < this.#page.length && this.#fetching === undefined) {
      return Promise.resolve({ done: false, value: this.#page[this.#position++]! });
    }
    return this.#exclusively(async () => {
      if (this.#position >= this.#page.length) await this.#fetchPage();
      const value = this.#page[this.#position++];
      return value === undefined ? { done: true, value: undefined } : { done: false, value };
    });
  }

  nextMany(size: number): Promise<Entry[]> {
    if (!Number.isSafeInteger(size) || size < 1) {
      return Promise.reject(new RangeError('size must be a positive integer'));
    }
    return this.#exclusively(async () => {
      if (this.#position < this.#page.length) {
        const entries = this.#page.slice(this.#position, this.#position + size);
        this.#position += entries.length;
        return entries;
      }
      return this.#fetch(size);
    });
  }

  async return(): Promise<IteratorResult<Entry, undefined>> {
    await this.#end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end();
  }

  /** Ends the iterator because its store was closed. */
  async interrupt(): Promise<void> {
    const wasEnded = this.#ended;
    await this.#end();
    if (!wasEnded) this.#interrupted = true;
  }

  #interrupted = false;

  async #fetchPage(): Promise<void> {
    this.#page = [];
    this.#position = 0;
    const size = this.#pageSize;
    this.#pageSize = LATER_PAGE;
    this.#page = await this.#fetch(size);
  }

  async #fetch(size: number): Promise<Entry[]> {
    if (this.#interrupted)
      throw new StorageError('STORE_CLOSED', 'the store was closed during the iteration');
    if (this.#ended) return [];
    try {
      this.#signal?.throwIfAborted();
      const entries = this.#remaining === 0 ? [] : await this.#source.fetch(Math.min(size, this.#remaining));
      this.#signal?.throwIfAborted();
      this.#remaining -= entries.length;
      if (entries.length === 0) await this.#end();
      return entries;
    } catch (error) {
      await this.#end();
      throw error;
    }
  }

  /** Calls that overlap are answered one after the other. */
  #exclusively<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#fetching === undefined ? run() : this.#fetching.then(run, run);
    const settled = result.then(ignore, ignore).then(() => {
      if (this.#fetching === settled) this.#fetching = undefined;
    });
    this.#fetching = settled;
    return result;
  }

  #end(): Promise<void> {
    if (this.#closing === undefined) {
      this.#ended = true;
      this.#page = [];
      this.#position = 0;
      this.#onEnd?.();
      this.#closing = Promise.resolve(this.#source.close());
    }
    return this.#closing;
  }
}

function ignore(): void {}
