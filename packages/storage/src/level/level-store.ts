import { open, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Level } from 'level';
import { StorageError } from '../errors.ts';
import { makeDirectory, syncDirectory } from '../file-system/make-directory.ts';
import type { KeyValueStore, StoreLimits } from '../key-value/key-value-store.ts';
import { createStore } from '../key-value/store.ts';
import { checkJournals, syncOlderJournals } from './journal.ts';
import { createLevelDriver, type LevelDatabase, toStorageError } from './level-driver.ts';

/** Options of {@link openLevelStore}. */
export interface LevelStoreOptions {
  /** Otherwise a directory without a store is refused with `STORE_MISSING`. @defaultValue true */
  readonly createIfMissing?: boolean | undefined;
  readonly limits?: StoreLimits | undefined;
  /** Off saves time where values are encrypted, for ciphertext cannot be compressed. @defaultValue true */
  readonly compression?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

// LevelDB makes a new, empty store where its CURRENT file is missing. This file says that there was one.
const MARKER = 'nzcore-store';
const MARKER_TEXT = 'NZ-STORAGE-01 level\n';

/**
 * A store in a directory, kept by LevelDB. The directory is made with mode 0700.
 *
 * @throws StorageError `STORE_LOCKED` when it is open already, here or in another process; `STORE_CORRUPT`
 *   when there is a store that cannot be read; `STORE_MISSING` when there is none and none may be made
 */
export async function openLevelStore(
  directory: string,
  options: LevelStoreOptions = {},
): Promise<KeyValueStore> {
  const { createIfMissing = true, compression = true, limits, signal } = options;
  signal?.throwIfAborted();
  const path = resolve(directory);
  const { exists, isMarked } = await inspect(path);
  if (!exists && !createIfMissing) throw new StorageError('STORE_MISSING', `there is no store in ${path}`);
  const level = await openLevel(path, { createIfMissing: !exists, compression });
  if (!isMarked) await markOrClose(path, level);
  const database = level as unknown as LevelDatabase;
  const driver = createLevelDriver(database, {
    storedBytes: () => sizeOf(path),
    syncOlderJournals: () => syncOlderJournals(path),
  });
  return createStore(driver, limits);
}

async function openLevel(
  path: string,
  options: { createIfMissing: boolean; compression: boolean },
): Promise<Level<Uint8Array, Uint8Array>> {
  try {
    await makeDirectory(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code === 'ENOSPC' ? 'NO_SPACE' : 'IO_ERROR';
    throw new StorageError(code, `cannot make the directory ${path}`, { cause });
  }
  // The database begins to open by itself, so all options go to its constructor.
  const level = new Level<Uint8Array, Uint8Array>(path, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    ...options,
  });
  try {
    await level.open();
  } catch (error) {
    await level.close();
    throw toStorageError(error, 'STORE_CORRUPT');
  }
  return level;
}

/** Whether there is a store, and whether it is marked; `STORE_CORRUPT` when there are only parts of one, or a damaged journal. */
async function inspect(path: string): Promise<{ exists: boolean; isMarked: boolean }> {
  const names = await readdir(path).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw new StorageError('IO_ERROR', `cannot read the directory ${path}`, { cause: error });
  });
  const isMarked = names.includes(MARKER);
  if (names.includes('CURRENT')) {
    await checkJournals(path, names);
    return { exists: true, isMarked };
  }
  const remains = names.filter((name) => name === MARKER || /^MANIFEST-|\.(ldb|sst|log)$/.test(name));
  if (remains.length === 0) return { exists: false, isMarked };
  throw new StorageError('STORE_CORRUPT', `there are parts of a store in ${path}, but no CURRENT file`);
}

/** A database that stayed open would be locked until this process ends. */
async function markOrClose(path: string, level: Level<Uint8Array, Uint8Array>): Promise<void> {
  try {
    await mark(path);
  } catch (error) {
    await level.close();
    throw toStorageError(error, 'IO_ERROR');
  }
}

async function mark(path: string): Promise<void> {
  const file = await open(join(path, MARKER), 'w', 0o600);
  try {
    await file.writeFile(MARKER_TEXT);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncDirectory(path);
}

async function sizeOf(path: string): Promise<number> {
  let total = 0;
  for (const name of await readdir(path)) {
    // LevelDB may remove a file between the two calls.
    const file = await stat(join(path, name)).catch(() => undefined);
    total += file?.size ?? 0;
  }
  return total;
}
