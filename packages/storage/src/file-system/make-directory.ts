import { mkdir, open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes a directory with mode 0700, and those above it that are missing; each name is on the disk before the promise
 * resolves. Node's recursive `mkdir` is no way to do it: it tries for ever where the system lets nobody make a directory,
 * as in `/proc`.
 * @param sync - Makes the names in a directory last.
 */
export async function makeDirectory(path: string, sync: typeof syncDirectory = syncDirectory): Promise<void> {
  const wanted = resolve(path);
  const failure = await tryToMake(wanted, sync);
  if (failure === undefined) return;
  if (failure.code !== 'ENOENT' || dirname(wanted) === wanted) throw failure;
  await makeDirectory(dirname(wanted), sync);
  const again = await tryToMake(wanted, sync);
  if (again !== undefined) throw again;
}

/** Makes the names in a directory last. */
export async function syncDirectory(path: string): Promise<void> {
  // Windows syncs no directory (EPERM); there the rename itself is journalled.
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Answers why there is no directory after all. */
async function tryToMake(
  path: string,
  sync: typeof syncDirectory,
): Promise<NodeJS.ErrnoException | undefined> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const isThere = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    return isThere ? undefined : (error as NodeJS.ErrnoException);
  }
  await sync(dirname(path));
  return undefined;
}
