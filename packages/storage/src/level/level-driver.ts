import { isStorageError, StorageError, type StorageErrorCode } from '../errors.ts';
import type { Driver, DriverIterator, DriverOperation, DriverView } from '../key-value/driver.ts';
import type { Entry } from '../key-value/key-value-store.ts';
import type { PhysicalRange } from '../key-value/range.ts';
import { createWriteQueue } from '../key-value/write-queue.ts';
import { createGetGroups } from './get-groups.ts';

/** What of classic-level is used here. */
export interface LevelDatabase {
  get(key: Uint8Array, options: LevelReadOptions): Promise<Uint8Array | undefined>;
  getMany(keys: Uint8Array[], options: LevelReadOptions): Promise<(Uint8Array | undefined)[]>;
  put(key: Uint8Array, value: Uint8Array, options: { sync: boolean }): Promise<void>;
  del(key: Uint8Array, options: { sync: boolean }): Promise<void>;
  batch(): LevelBatch;
  iterator(options: LevelIteratorOptions): LevelIterator;
  snapshot(): LevelSnapshot;
  compactRange(start: Uint8Array, end: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

interface LevelReadOptions {
  readonly snapshot?: LevelSnapshot;
}

interface LevelIteratorOptions extends LevelReadOptions {
  readonly gte: Uint8Array;
  readonly lt?: Uint8Array;
  readonly reverse: boolean;
  readonly highWaterMarkBytes: number;
}

interface LevelBatch {
  readonly length: number;
  put(key: Uint8Array, value: Uint8Array): unknown;
  del(key: Uint8Array): unknown;
  write(options: { sync: boolean }): Promise<void>;
  close(): Promise<void>;
}

interface LevelIterator {
  nextv(size: number): Promise<Entry[]>;
  close(): Promise<void>;
}

interface LevelSnapshot {
  close(): Promise<void>;
}

// How much a page of an iteration may hold: some hundreds of small entries, or one large one.
const PAGE_BYTES = 128 * 1_024;

// Every key of a store begins with its namespace, so that no store has this one.
const NO_KEY = new Uint8Array(0);

// A write that failed may have left a part of itself in LevelDB's journal. LevelDB itself would go on behind that part, and at the
// next opening leave out what it cannot read and what follows: later writes would be acknowledged and then lost.
const TORN_JOURNAL: ReadonlySet<StorageErrorCode> = new Set(['IO_ERROR', 'NO_SPACE', 'STORE_CORRUPT']);

/** What the driver needs besides the database. */
export interface LevelDriverOptions {
  readonly storedBytes: () => Promise<number>;
  /** Makes the journals last that LevelDB has left behind without syncing them. */
  readonly syncOlderJournals: () => Promise<void>;
}

/** The driver for LevelDB. */
export function createLevelDriver(
  database: LevelDatabase,
  { storedBytes, syncOlderJournals }: LevelDriverOptions,
): Driver {
  let failure: StorageError | undefined;
  let hasUnsynced = false;
  const onFailure = (error: unknown): never => {
    if (isStorageError(error) && TORN_JOURNAL.has(error.code)) failure = error;
    throw error;
  };
  const writeThrough = async (operations: Iterable<DriverOperation>, sync: boolean): Promise<void> => {
    await write(database, operations, sync);
    // Behind the write, for it may itself be the one that begins a new journal.
    if (sync && hasUnsynced) await guarded(syncOlderJournals());
    hasUnsynced = !sync;
  };
  const queue = createWriteQueue((operations, sync) =>
    failure === undefined
      ? writeThrough(operations, sync).catch(onFailure)
      : Promise.reject(new StorageError('STORE_FAILED', MESSAGES.STORE_FAILED, { cause: failure })),
  );
  const view = viewOf(database, undefined);
  return {
    ...view,
    write: queue.write,
    snapshot: () => viewOf(database, database.snapshot()),
    compact: () => guarded(database.compactRange(new Uint8Array(0), new Uint8Array(128).fill(0xff))),
    storedBytes: () => guarded(storedBytes()),
    close: async () => {
      await view.close();
      await queue.drained();
      await guarded(database.close());
    },
  };
}

function viewOf(database: LevelDatabase, snapshot: LevelSnapshot | undefined): DriverView {
  const options: LevelReadOptions = snapshot === undefined ? {} : { snapshot };
  const gets = createGetGroups({
    get: (key) => database.get(key, options).then(plainOrMissing, rethrow),
    getMany: async (keys) => (await database.getMany(keys, options)).map(plainOrMissing),
  });
  return {
    get: gets.get,
    iterate: (range) => iterate(database, range, options),
    close: () => {
      gets.flush();
      return snapshot === undefined ? undefined : guarded(snapshot.close());
    },
  };
}

function iterate(database: LevelDatabase, range: PhysicalRange, options: LevelReadOptions): DriverIterator {
  const { gte, lt, reverse } = range;
  const bounds = lt === undefined ? { gte } : { gte, lt };
  const iterator = database.iterator({ ...options, ...bounds, reverse, highWaterMarkBytes: PAGE_BYTES });
  return {
    nextMany: async (size, skip) => {
      const entries = await guarded(iterator.nextv(size));
      for (const entry of entries) {
        entry[0] = plain(entry[0], skip);
        entry[1] = plain(entry[1]);
      }
      return entries;
    },
    close: () => guarded(iterator.close()),
  };
}

async function write(
  database: LevelDatabase,
  operations: Iterable<DriverOperation>,
  sync: boolean,
): Promise<void> {
  const only = Array.isArray(operations) && operations.length === 1 ? operations[0] : undefined;
  if (only?.type === 'put') return guarded(database.put(only.key, only.value, { sync }));
  if (only?.type === 'del') return guarded(database.del(only.key, { sync }));
  // A chained batch copies each operation at once, so that the next one may use the same memory.
  const batch = database.batch();
  try {
    for (const operation of operations) {
      if (operation.type === 'put') batch.put(operation.key, operation.value);
      else batch.del(operation.key);
    }
  } catch (error) {
    await batch.close();
    throw error;
  }
  if (batch.length > 0 || !sync) return guarded(batch.write({ sync }));
  await batch.close();
  // LevelDB does nothing at all for an empty batch; a tombstone in its journal syncs what was written before.
  return guarded(database.del(NO_KEY, { sync }));
}

/** LevelDB gives Buffers, whose `slice` does not copy; callers get what they expect. */
function plain(bytes: Uint8Array, skip = 0): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + skip, bytes.length - skip);
}

function plainOrMissing(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes === undefined ? undefined : plain(bytes);
}

function guarded<T>(result: Promise<T>): Promise<T> {
  return result.catch(rethrow);
}

function rethrow(error: unknown): never {
  throw toStorageError(error, 'IO_ERROR');
}

const CODES: Readonly<Record<string, StorageErrorCode>> = {
  LEVEL_LOCKED: 'STORE_LOCKED',
  LEVEL_CORRUPTION: 'STORE_CORRUPT',
  LEVEL_DATABASE_NOT_OPEN: 'STORE_CLOSED',
  LEVEL_ITERATOR_NOT_OPEN: 'STORE_CLOSED',
};

const MESSAGES = {
  STORE_LOCKED: 'the store is open already, in this process or in another one',
  STORE_CORRUPT: 'the store cannot be read',
  STORE_CLOSED: 'the store is closed',
  NO_SPACE: 'no space is left for the store',
  STORE_FAILED: 'a write to the store failed; open it again to go on',
  IO_ERROR: 'the store could not be read or written',
} as const satisfies Partial<Record<StorageErrorCode, string>>;

/** The error of the database as one of ours; `fallback` where its code says nothing. */
export function toStorageError(error: unknown, fallback: StorageErrorCode): StorageError {
  if (error instanceof StorageError) return error;
  const code = codeOf(error) ?? fallback;
  const messages: Partial<Record<StorageErrorCode, string>> = MESSAGES;
  return new StorageError(code, messages[code] ?? code, { cause: error });
}

/** LevelDB's own reason lies deepest; what wraps it says only that the database is not open. */
function codeOf(error: unknown): StorageErrorCode | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { code?: unknown };
  return (
    codeOf(error.cause) ??
    codeOfMessage(error.message) ??
    (typeof code === 'string' ? CODES[code] : undefined)
  );
}

// LevelDB passes what the system said on as text.
function codeOfMessage(message: string): StorageErrorCode | undefined {
  if (/no space left|quota exceeded|file too large|ENOSPC|EDQUOT|EFBIG/i.test(message)) return 'NO_SPACE';
  if (
    /permission denied|input\/output error|too many open files|not a directory|EACCES|EPERM|EROFS|EIO/i.test(
      message,
    )
  ) {
    return 'IO_ERROR';
  }
  if (/checksum mismatch|corrupt|missing files|no such file|does not exist/i.test(message))
    return 'STORE_CORRUPT';
  return undefined;
}
