import { concatBytes } from '../bytes.ts';
import { StorageError } from '../errors.ts';
import type { FileSystem, OpenedFile } from './file-system.ts';

/** Writes all of the parts, in as many calls as it takes. @returns the position behind them */
export async function writeAll(
  file: OpenedFile,
  parts: readonly Uint8Array[],
  position: number,
): Promise<number> {
  let rest = parts;
  let left = rest.reduce((sum, part) => sum + part.length, 0);
  let offset = position;
  while (left > 0) {
    const written = await file.write(rest, offset);
    if (written <= 0) throw new StorageError('IO_ERROR', 'the file system accepts no more bytes');
    offset += written;
    left -= written;
    if (left > 0) rest = [concatBytes(...rest).subarray(written)];
  }
  return offset;
}

/** Reads up to `length` bytes; fewer only at the end of the file. */
export function readFully(file: OpenedFile, length: number, position: number): Promise<Uint8Array> {
  return fillFrom(file, new Uint8Array(length), position);
}

/** Fills memory from `position` on. @returns the part of it that was filled, less than all only at the end of the file */
export async function fillFrom(file: OpenedFile, memory: Uint8Array, position: number): Promise<Uint8Array> {
  let filled = 0;
  while (filled < memory.length) {
    const count = await file.read(memory.subarray(filled), position + filled);
    if (count === 0) break;
    filled += count;
  }
  return memory.subarray(0, filled);
}

/** Runs with the opened file and closes it, whatever happens. */
export async function withFile<T>(
  opening: Promise<OpenedFile>,
  action: (file: OpenedFile) => Promise<T>,
): Promise<T> {
  const file = await opening;
  let result: T;
  try {
    result = await action(file);
  } catch (error) {
    // The first error says what is wrong.
    await file.close().catch(() => {});
    throw error;
  }
  await file.close();
  return result;
}

/** Writes a new file under a temporary name, and gives it its name when it lasts. */
export async function replaceFile(
  fs: FileSystem,
  directory: string,
  names: { temporary: string; final: string },
  write: (file: OpenedFile) => Promise<void>,
  { sync = true }: { sync?: boolean } = {},
): Promise<void> {
  const temporary = `${directory}/${names.temporary}`;
  try {
    await withFile(fs.open(temporary, 'create'), async (file) => {
      await write(file);
      if (sync) await file.sync();
    });
    await fs.rename(temporary, `${directory}/${names.final}`);
  } catch (error) {
    await fs.remove(temporary).catch(() => {});
    throw error;
  }
  // The name is part of what must last.
  if (sync) await fs.syncDirectory(directory);
}

/** Whether an error of the file system says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 'ENOENT';
}

/** An error of the file system as one of ours; others pass through. */
export function toFileError(error: unknown): unknown {
  if (error instanceof StorageError || !(error instanceof Error)) return error;
  const { code } = error as { code?: unknown };
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new StorageError('NO_SPACE', 'the file system has no space left', { cause: error });
  }
  // What the caller threw (an abort, an error of its source) has no errno and is its own.
  if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) return error;
  return new StorageError('IO_ERROR', 'the file system failed', { cause: error });
}
