/** Keeps two writers of one file apart, in one process or in two: Node has no flock. */
import { constants } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { isSystemError } from './atomic-file.ts';

// What is done under a lock takes milliseconds; one of this age was left by a crash.
const STALE_AFTER_MS = 10_000;
// About as long as a small file takes to be written and synced.
const RETRY_MS = 20;

/**
 * Runs an action while `.<name>.lock` beside the file says so; whoever comes second waits.
 *
 * @throws what the action throws; a system error when the lock cannot be made
 */
export async function withFileLock<T>(path: string, action: () => Promise<T>): Promise<T> {
  const lock = join(dirname(path), `.${basename(path)}.lock`);
  while (!(await tryLock(lock))) {
    if (await isStale(lock)) await rm(lock, { force: true });
    else await setTimeout(RETRY_MS);
  }
  try {
    return await action();
  } finally {
    await rm(lock, { force: true });
  }
}

async function tryLock(lock: string): Promise<boolean> {
  try {
    const handle = await open(lock, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    await handle.close();
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    throw error;
  }
}

async function isStale(lock: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(lock);
    // Either way: the clock may have been set back since.
    return Math.abs(Date.now() - mtimeMs) > STALE_AFTER_MS;
  } catch (error) {
    // Released meanwhile.
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
}
