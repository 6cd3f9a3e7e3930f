/** Keeps two writers of one file apart, in one process or in two: Node has no flock. */
import { randomBytes } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { link, lstat, open, rename, rm } from 'node:fs/promises';
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
  for (;;) {
    const own = await tryLock(lock);
    if (own !== undefined) return await runAndRelease(lock, own, action);
    const found = await lockAt(lock);
    if (found === undefined) continue;
    if (!isStale(found) || !(await isTakenOver(lock, found))) await setTimeout(RETRY_MS);
  }
}

async function runAndRelease<T>(lock: string, own: BigIntStats, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } finally {
    // Who took longer than a crash would has lost it: what lies there is another one's.
    await takeAway(lock, own);
  }
}

async function tryLock(lock: string): Promise<BigIntStats | undefined> {
  try {
    const handle = await open(lock, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      return await handle.stat({ bigint: true });
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return undefined;
    throw error;
  }
}

/** The lock that is there now; undefined when it was released. */
async function lockAt(lock: string): Promise<BigIntStats | undefined> {
  try {
    // The name itself: a link that leads nowhere is in the way as well, and would be asked for again and again.
    return await lstat(lock, { bigint: true });
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function isStale({ mtimeMs }: BigIntStats): boolean {
  // Either way: the clock may have been set back since.
  return Math.abs(Date.now() - Number(mtimeMs)) > STALE_AFTER_MS;
}

/** Whether a stale lock is gone now; one at a time finds out, under a lock of its own. */
async function isTakenOver(lock: string, stale: LockIdentity): Promise<boolean> {
  const turn = `${lock}.stale`;
  const own = await tryLock(turn);
  if (own === undefined) {
    const found = await lockAt(turn);
    if (found !== undefined && isStale(found)) await takeAway(turn, found);
    return false;
  }
  try {
    await takeAway(lock, stale);
    return true;
  } finally {
    await takeAway(turn, own);
  }
}

/** Whether two looks at a path saw the same lock: the number of a file that was removed is soon another one's. */
type LockIdentity = Pick<BigIntStats, 'ino' | 'birthtimeNs' | 'mtimeNs'>;

function isSame(a: LockIdentity, b: LockIdentity): boolean {
  return a.ino === b.ino && a.birthtimeNs === b.birthtimeNs && a.mtimeNs === b.mtimeNs;
}

/** Removes this one lock and no other: it is renamed first, and put back when it was exchanged in between. */
export async function takeAway(lock: string, expected: LockIdentity): Promise<void> {
  const current = await lockAt(lock);
  if (current === undefined || !isSame(current, expected)) return;
  const taken = `${lock}.${randomBytes(8).toString('hex')}`;
  try {
    await rename(lock, taken);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return;
    throw error;
  }
  const found = await lockAt(taken);
  try {
    if (found !== undefined && !isSame(found, expected)) await link(taken, lock);
  } catch (error) {
    // A third one made a lock in between.
    if (!isSystemError(error, 'EEXIST')) throw error;
  } finally {
    await rm(taken, { force: true });
  }
}
