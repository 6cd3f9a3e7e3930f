/** Every operation can be given up: it then rejects with `signal.reason`. A write that was handed to the disk is not undone. */
export interface OperationOptions {
  readonly signal?: AbortSignal | undefined;
}

/** How a write is made. */
export interface WriteOptions extends OperationOptions {
  /**
   * Resolve only when the write survives a power loss. Without it a write survives the end of the
   * process, but the last ones may be lost together with the machine. What was written before is made to last as well,
   * so that an empty batch with `sync` is a barrier.
   * @defaultValue false
   */
  readonly sync?: boolean | undefined;
}

/** One write of a batch; `namespace` is a path below the store that the batch is given to. */
export type BatchOperation =
  | {
      readonly type: 'put';
      readonly key: Uint8Array;
      readonly value: Uint8Array;
      readonly namespace?: readonly string[] | undefined;
    }
  | {
      readonly type: 'delete';
      readonly key: Uint8Array;
      readonly namespace?: readonly string[] | undefined;
    };

/** Which keys, compared bytewise, and in which order. Bounds may be combined; all must hold. */
export interface IterateOptions extends OperationOptions {
  readonly prefix?: Uint8Array | undefined;
  readonly gt?: Uint8Array | undefined;
  readonly gte?: Uint8Array | undefined;
  readonly lt?: Uint8Array | undefined;
  readonly lte?: Uint8Array | undefined;
  /** @defaultValue false */
  readonly reverse?: boolean | undefined;
  /** @defaultValue no limit */
  readonly limit?: number | undefined;
}

/** A key and its value. */
export type Entry = [key: Uint8Array, value: Uint8Array];

/**
 * An ordered walk over the store as it was when the walk began. It ends itself at the last entry, at
 * an error and when a `for await` loop is left; otherwise call `return()`.
 */
export interface EntryIterator extends AsyncIterableIterator<Entry>, AsyncDisposable {
  next(): Promise<IteratorResult<Entry, undefined>>;
  return(): Promise<IteratorResult<Entry, undefined>>;
  [Symbol.asyncIterator](): EntryIterator;
  /** Up to `size` entries at once, which is the fast way; an empty list means the end. */
  nextMany(size: number): Promise<Entry[]>;
}

/** What can be read, of the living store or of a snapshot. */
export interface Reader extends AsyncDisposable {
  /**
   * @returns the value in memory that nothing else refers to, for an encrypted store above decrypts it in its place;
   *   undefined when there is none
   */
  get(key: Uint8Array, options?: OperationOptions): Promise<Uint8Array | undefined>;
  iterate(options?: IterateOptions): EntryIterator;
}

/** The store as it was at one moment. Dispose it: it holds old data alive. */
export interface Snapshot extends Reader {
  /** The same moment of a namespace; disposing it leaves the snapshot itself open. */
  namespace(name: string): Snapshot;
}

/** What a store holds, this namespace and those below it. */
export interface StoreStats {
  readonly entries: number;
  /** Of all keys, without the store's own overhead. */
  readonly keyBytes: number;
  /** Of all values, without the store's own overhead. */
  readonly valueBytes: number;
  /** What the store occupies below, where that is known. */
  readonly storedBytes?: number | undefined;
}

/** A record that {@link KeyValueStore.verify} could not accept. */
export interface VerifyProblem {
  readonly code: 'RECORD_CORRUPT' | 'RECORD_ROLLED_BACK' | 'STORE_CORRUPT' | 'UNSUPPORTED_FORMAT';
  /** As stored below, which is not the caller's key where keys are blinded. */
  readonly key: Uint8Array;
}

/** The outcome of a walk over everything. */
export interface VerifyReport {
  readonly entries: number;
  /** At most the first 1,000. */
  readonly problems: readonly VerifyProblem[];
}

/**
 * Ordered bytes to bytes. Keys are ordered bytewise; a key may be empty, a value too. What is passed in is
 * borrowed until the promise settles; what is returned is the caller's. Writes take effect in the order of
 * their calls.
 *
 * A bad argument rejects with TypeError or RangeError, an operational failure with StorageError.
 */
export interface KeyValueStore extends Reader {
  /** Whether values leave the process encrypted only; files and logs keep their keys in such a store alone. */
  readonly isEncrypted: boolean;
  put(key: Uint8Array, value: Uint8Array, options?: WriteOptions): Promise<void>;
  /** Deleting what is not there succeeds. */
  delete(key: Uint8Array, options?: WriteOptions): Promise<void>;
  /** All of the operations or none, in their order; they may lie in several namespaces. */
  batch(operations: readonly BatchOperation[], options?: WriteOptions): Promise<void>;
  snapshot(): Snapshot;
  /**
   * A store of its own inside of this one: neither sees the other's keys. Its handle gives no way to its parent.
   * Disposing it ends the handle, not the data and not the store that it lies in.
   * @param name - 1 to 64 bytes of UTF-8
   */
  namespace(name: string): KeyValueStore;
  /** Gives the space of deleted and overwritten entries back. */
  compact(options?: OperationOptions): Promise<void>;
  /** Walks over everything to count it. */
  stats(options?: OperationOptions): Promise<StoreStats>;
  /** Reads everything and reports what cannot be believed. */
  verify(options?: OperationOptions): Promise<VerifyReport>;
}

/** Bounds that a store sets to what it is given. */
export interface StoreLimits {
  /** In bytes, namespaces included. @defaultValue 4096 */
  readonly maxKeyBytes?: number | undefined;
  /** @defaultValue 16 MiB */
  readonly maxValueBytes?: number | undefined;
  /** Operations in one batch. @defaultValue 100,000 */
  readonly maxBatchOperations?: number | undefined;
}
