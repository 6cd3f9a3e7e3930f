import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a directory with mode 0700, and those above it that are missing. Node's recursive `mkdir` is no way to do it:
 * it tries for ever where the system lets nobody make a directory, as in `/proc`.
 */
export async function makeDirectory(path: string): Promise<void> {
  const failure = await tryToMake(path);
  if (failure === undefined) return;
  if (failure.code !== 'ENOENT' || dirname(path) === path) throw failure;
  await makeDirectory(dirname(path));
  const again = await tryToMake(path);
  if (again !== undefined) throw again;
}

/** Answers why there is no directory after all. */
async function tryToMake(path: string): Promise<NodeJS.ErrnoException | undefined> {
  try {
    await mkdir(path, { mode: 0o700 });
    return undefined;
  } catch (error) {
    const isThere = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    return isThere ? undefined : (error as NodeJS.ErrnoException);
  }
}
