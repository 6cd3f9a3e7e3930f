/** Files that are either the old or the new ones, on disk before the promise resolves. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import {
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { IdentityError } from '../errors.ts';

// Windows has neither.
const { O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants;
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
const GROUP_AND_OTHERS = 0o077;

/** How to write. */
export interface WriteOptions {
  /** Refuse to replace a file that exists. */
  readonly exclusive: boolean;
}

/**
 * Writes a file of mode 0600 completely or not at all: a temporary file in the same directory, fsync, rename, fsync
 * of the directory. Directories that are missing are made with mode 0700. Call it under the lock of the file.
 *
 * @throws IdentityError `KEYSTORE_EXISTS` when exclusive; a system error, with the old file intact unless it was the
 *   directory that could not be synced
 */
export async function writeFileAtomically(
  path: string,
  bytes: Uint8Array,
  options: WriteOptions,
): Promise<void> {
  const directory = dirname(path);
  await removeLeftovers(path);
  const temporary = join(directory, `.${basename(path)}.${randomBytes(8).toString('hex')}.tmp`);
  try {
    await writeDurably(temporary, bytes);
    await (options.exclusive ? moveToFreeName(temporary, path) : rename(temporary, path));
  } catch (error) {
    // Where this fails too, the next change or opening removes it; the first error is the one that says what is wrong.
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
  await syncDirectory(directory);
}

/**
 * Removes what ended processes have left of writing this file: a temporary file still opens under the passphrase of its
 * time, and that of a passphrase holds it in plain. Call it under the lock of the file, or it may be another one's that is written just now.
 */
export async function removeLeftovers(path: string): Promise<void> {
  const directory = dirname(path);
  for (const name of await leftoversOf(path)) await rm(join(directory, name), { force: true });
}

/** Names of temporary files beside the file; none where the directory is missing or may not be listed. */
export async function leftoversOf(path: string): Promise<readonly string[]> {
  const start = `.${basename(path)}.`;
  try {
    const entries = await readdir(dirname(path), { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .filter((name) => name.startsWith(start) && /^[0-9a-f]{16}\.tmp$/.test(name.slice(start.length)));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].some((code) => isSystemError(error, code))) return [];
    throw error;
  }
}

/**
 * Makes a directory of mode 0700 and its missing parents; each name is on the disk before the promise resolves. Unlike
 * Node's recursive `mkdir` it ends also where the system lets nobody make a directory, as in `/proc`.
 *
 * @param sync - Makes the names in a directory last.
 */
export async function makeDirectory(path: string, sync: typeof syncDirectory = syncDirectory): Promise<void> {
  const wanted = resolve(path);
  const make = async (): Promise<unknown> => {
    try {
      await mkdir(wanted, { mode: DIRECTORY_MODE });
    } catch (error) {
      const found = await stat(wanted).catch(() => undefined);
      return found?.isDirectory() === true ? undefined : error;
    }
    await sync(dirname(wanted));
    return undefined;
  };
  const failure = await make();
  if (failure === undefined) return;
  if (!isSystemError(failure, 'ENOENT') || dirname(wanted) === wanted) throw failure;
  await makeDirectory(dirname(wanted), sync);
  const again = await make();
  if (again !== undefined) throw again;
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await openFile(
    path,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | O_NOFOLLOW,
  );
  await file.handle.writeFile(bytes);
  await file.handle.sync();
}

// FAT and exFAT have no hard links (EPERM; on Windows EISDIR, nodejs/node issue 65817), some file systems of users and containers
// neither, and Android forbids them (EACCES).
const NO_HARD_LINKS = ['EPERM', 'EACCES', 'EISDIR', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/** A hard link fails when the name is taken, unlike a rename; then the temporary name goes. */
async function moveToFreeName(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) throw nameIsTaken(path);
    if (!NO_HARD_LINKS.some((code) => isSystemError(error, code))) throw error;
    await renameToFreeName(temporary, path);
    return;
  }
  // The file is there: should its second name stay, the next change or opening removes it.
  await rm(temporary).catch(() => {});
}

/** Takes the name with an empty file first, which an ended process may have left already; the lock keeps other writers away. */
async function renameToFreeName(temporary: string, path: string): Promise<void> {
  try {
    await using _file = await openFile(
      path,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | O_NOFOLLOW,
    );
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error;
    const found = await lstat(path);
    if (!found.isFile() || found.size > 0) throw nameIsTaken(path);
  }
  try {
    await rename(temporary, path);
  } catch (error) {
    // Who lost the lock by taking too long may find another one's content under the name.
    const found = await lstat(path).catch(() => undefined);
    if (found?.isFile() === true && found.size === 0) await rm(path).catch(() => {});
    throw error;
  }
}

function nameIsTaken(path: string): IdentityError {
  return new IdentityError('KEYSTORE_EXISTS', `there is already a file ${path}`);
}

async function syncDirectory(directory: string): Promise<void> {
  // Windows cannot open a directory; there the rename itself is journalled.
  if (process.platform === 'win32') return;
  await using file = await openFile(directory, constants.O_RDONLY);
  await file.handle.sync();
}

/** Where a file is when all links are followed; undefined when there is none. */
export async function realPath(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** How to read. */
export interface ReadOptions {
  /** A longer file is refused before it is read. */
  readonly maxLength: number;
  /** Refuse a file that group or others can read. */
  readonly ownerOnly: boolean;
  /** Refuse what is no regular file; otherwise a pipe is read to its end. */
  readonly regularOnly?: boolean;
  /** The error for a longer file. */
  readonly tooLarge: () => IdentityError;
}

/**
 * Reads a small file.
 *
 * @returns undefined when there is none
 * @throws IdentityError `INSECURE_FILE`; `tooLarge()`; a system error
 */
export async function readSmallFile(path: string, options: ReadOptions): Promise<Uint8Array | undefined> {
  try {
    // Opening a FIFO would wait for its other end, opening a device may do anything.
    const flags = options.regularOnly === true ? constants.O_RDONLY | O_NONBLOCK : constants.O_RDONLY;
    await using file = await openFile(path, flags);
    const stats = await file.handle.stat();
    const { mode, size } = stats;
    if (stats.isDirectory()) throw new IdentityError('INSECURE_FILE', `${path} is a directory`);
    if (options.regularOnly === true && !stats.isFile())
      throw new IdentityError('INSECURE_FILE', `${path} is no regular file`);
    if (options.ownerOnly && process.platform !== 'win32' && (mode & GROUP_AND_OTHERS) !== 0) {
      throw new IdentityError(
        'INSECURE_FILE',
        `${path} must not be accessible to group or others: chmod 600`,
      );
    }
    if (size > options.maxLength) throw options.tooLarge();
    return await readAtMost(file.handle, options);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** The size that stat tells is no promise (a pipe says 0, a file may grow), so the reading itself is bounded. */
async function readAtMost(handle: FileHandle, { maxLength, tooLarge }: ReadOptions): Promise<Uint8Array> {
  const buffer = new Uint8Array(maxLength + 1);
  let length = 0;
  try {
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null);
      length += bytesRead;
      if (length > maxLength) throw tooLarge();
      if (bytesRead === 0) return buffer.slice(0, length);
    }
  } finally {
    buffer.fill(0);
  }
}

async function openFile(path: string, flags: number): Promise<{ handle: FileHandle } & AsyncDisposable> {
  const handle = await open(path, flags, FILE_MODE);
  // What was synced is on the disk and what was read is here: closing tells nothing more, and must not hide an error before it.
  return { handle, [Symbol.asyncDispose]: () => handle.close().catch(() => {}) };
}

/** Whether the operating system gave this error. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}
