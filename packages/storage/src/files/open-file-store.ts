import { ready } from '@nzcore/crypto';
import { bindDirectory } from '../file-system/bound-directory.ts';
import { claimDirectory, type ReleaseDirectory } from '../file-system/claim-directory.ts';
import { toFileError } from '../file-system/file-access.ts';
import { nodeFileSystem } from '../file-system/node-file-system.ts';
import { DirectoryFileStore } from './directory-file-store.ts';
import { createFileCatalog } from './file-catalog.ts';
import { createFileContents } from './file-contents.ts';
import type { FileStore, FileStoreOptions } from './file-store.ts';
import { recoverReplacedFiles } from './replaced-files.ts';

/**
 * Opens, or makes, a directory of encrypted files.
 *
 * @throws StorageError `STORE_CORRUPT` when directory and catalog do not belong together; `DIRECTORY_IN_USE` when it is
 *   open already; `IO_ERROR`; `NO_SPACE`
 */
export async function openFileStore(directory: string, options: FileStoreOptions): Promise<FileStore> {
  const { fileSystem = nodeFileSystem, signal } = options;
  signal?.throwIfAborted();
  await ready();
  const catalog = createFileCatalog(options.catalog);
  let release: ReleaseDirectory | undefined;
  try {
    await fileSystem.makeDirectory(directory);
    release = await claimDirectory(fileSystem, directory, 'files');
    await bindDirectory(fileSystem, directory, catalog, { marker: 'nzcore-files', extension: '.nzf' });
    const contents = createFileContents(fileSystem, directory);
    const restored = await recoverReplacedFiles(catalog, contents);
    let totalBytes = 0;
    for await (const entry of catalog.entries(new Uint8Array(0), signal)) totalBytes += entry.size;
    return new DirectoryFileStore({ catalog, contents, options, restored, totalBytes, release });
  } catch (error) {
    await release?.();
    throw toFileError(error);
  }
}
