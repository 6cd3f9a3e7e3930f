import { dirname } from 'node:path';
import {
  isSystemError,
  leftoversOf,
  makeDirectory,
  realPath,
  removeLeftovers,
  writeFileAtomically,
} from './atomic-file.ts';
import { withFileLock } from './file-lock.ts';

/**
 * Writes a new file of mode 0600 completely or not at all; see {@link writeFileAtomically}.
 *
 * @throws IdentityError `KEYSTORE_EXISTS`; a system error
 */
export async function createFile(path: string, bytes: Uint8Array): Promise<void> {
  await makeDirectory(dirname(path));
  // Of two at once the later one would take the temporary file of the other one for what an ended process has left.
  await withFileLock(path, () => writeFileAtomically(path, bytes, { exclusive: true }));
}

// Who may only read a file cannot tidy up beside it, and need not; a full disk has no room for a lock, and must not keep from reading.
const NOT_ALLOWED = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT'];

/** Removes what an ended process has left beside a file that exists, where that is allowed. */
export async function tidyUp(path: string): Promise<void> {
  try {
    const real = await realPath(path);
    if (real === undefined || (await leftoversOf(real)).length === 0) return;
    await withFileLock(real, () => removeLeftovers(real));
  } catch (error) {
    if (!NOT_ALLOWED.some((code) => isSystemError(error, code))) throw error;
  }
}
