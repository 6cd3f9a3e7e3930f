import { randomBytes } from '@nzcore/crypto';
import { compareBytes, toHex, utf8 } from '../bytes.ts';
import { StorageError } from '../errors.ts';
import { isMissing, readFully, replaceFile, withFile, writeAll } from './file-access.ts';
import type { FileSystem } from './file-system.ts';

/** Where the id of a directory is kept besides the directory. */
export interface DirectoryBinding {
  directoryId(): Promise<Uint8Array | undefined>;
  setDirectoryId(id: Uint8Array): Promise<void>;
}

/** How a directory shows that it is one of ours. */
export interface DirectoryKind {
  /** The file that holds the id. */
  readonly marker: string;
  /** Of the files that only a known directory may have. */
  readonly extension: string;
}

/**
 * Makes sure that a directory and the store of its keys are each other's: with another one's keys its files would
 * be refused as tampered with, or removed as left over.
 * @throws StorageError `STORE_CORRUPT`
 */
export async function bindDirectory(
  fs: FileSystem,
  directory: string,
  binding: DirectoryBinding,
  { marker, extension }: DirectoryKind,
): Promise<void> {
  const known = await binding.directoryId();
  const found = await readMarker(fs, `${directory}/${marker}`);
  if (known !== undefined) {
    if (found === undefined || compareBytes(utf8(toHex(known)), found) !== 0) throw foreign();
    return;
  }
  if ((await fs.list(directory)).some((name) => name.endsWith(extension))) throw foreign();
  // A marker without files is left by a crash between the two steps below.
  if (found !== undefined) await fs.remove(`${directory}/${marker}`);
  const id = randomBytes(16);
  const names = { temporary: `${toHex(id)}.tmp`, final: marker };
  await replaceFile(fs, directory, names, async (file) => {
    await writeAll(file, [utf8(toHex(id))], 0);
  });
  await binding.setDirectoryId(id);
}

async function readMarker(fs: FileSystem, path: string): Promise<Uint8Array | undefined> {
  try {
    return await withFile(fs.open(path, 'read'), (file) => readFully(file, 33, 0));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function foreign(): StorageError {
  return new StorageError('STORE_CORRUPT', 'the directory and the store of its keys do not belong together');
}
