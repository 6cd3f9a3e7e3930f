import { StorageError } from '../errors.ts';
import type { DirectoryIdentity, FileSystem } from './file-system.ts';

// Of this process, as its files are. Another process is kept out by the lock of the store that holds the directory's keys.
const claimed = new Map<string, DirectoryIdentity | undefined>();

/** Gives a directory free; a second call does nothing. */
export type ReleaseDirectory = () => Promise<void>;

/**
 * Takes a directory for one log or one file store: two of them would each write as if it were alone, over each other's
 * entries.
 * @throws StorageError `DIRECTORY_IN_USE`
 */
export async function claimDirectory(
  fs: FileSystem,
  directory: string,
  kind: 'files' | 'log',
): Promise<ReleaseDirectory> {
  const held = await fs.identify?.(directory);
  const identity = `${kind}:${held?.id ?? directory}`;
  if (claimed.has(identity)) {
    await held?.release();
    throw new StorageError('DIRECTORY_IN_USE', 'the directory is open already in this process');
  }
  // In the map it is held also when whoever opened the directory forgets it without closing it.
  claimed.set(identity, held);
  let isHeld = true;
  return async () => {
    if (!isHeld) return;
    isHeld = false;
    claimed.delete(identity);
    await held?.release();
  };
}
