import { StorageError } from '../errors.ts';
import type { FileSystem } from './file-system.ts';

// Of this process, as its files are. Another process is kept out by the lock of the store that holds the directory's keys.
const claimed = new Set<string>();

/** Gives a directory free; a second call does nothing. */
export type ReleaseDirectory = () => void;

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
  const identity = `${kind}:${(await fs.identify?.(directory)) ?? directory}`;
  if (claimed.has(identity)) {
    throw new StorageError('DIRECTORY_IN_USE', 'the directory is open already in this process');
  }
  claimed.add(identity);
  let isHeld = true;
  return () => {
    if (isHeld) claimed.delete(identity);
    isHeld = false;
  };
}
