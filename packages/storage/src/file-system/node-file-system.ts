import { constants, type FileHandle, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import type { FileSystem, OpenedFile, OpenMode } from './file-system.ts';
import { makeDirectory, syncDirectory } from './make-directory.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY, O_RDWR } = constants;

// Without O_NONBLOCK opening a FIFO would wait for its other end.
const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
  update: O_RDWR | O_NOFOLLOW | O_NONBLOCK,
  create: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW,
};

/** The file system of Node. */
export const nodeFileSystem: FileSystem = {
  open: async (path, mode) => {
    const handle = await open(path, FLAGS[mode], 0o600);
    const stats = await handle.stat();
    if (stats.isFile()) return openedFile(handle);
    await handle.close();
    throw Object.assign(new Error('not a regular file'), { code: 'EINVAL' });
  },
  rename,
  remove: unlink,
  list: (directory) => readdir(directory),
  makeDirectory,
  identify: async (directory) => {
    const { dev, ino, birthtimeNs } = await stat(directory, { bigint: true });
    // The number of a directory that was removed is soon another one's.
    return `${dev}:${ino}:${birthtimeNs}`;
  },
  syncDirectory,
};

function openedFile(handle: FileHandle): OpenedFile {
  return {
    read: async (target, position) => (await handle.read(target, 0, target.length, position)).bytesRead,
    write: async (parts, position) => (await handle.writev([...parts], position)).bytesWritten,
    sync: () => handle.sync(),
    truncate: (size) => handle.truncate(size),
    size: async () => (await handle.stat()).size,
    close: () => handle.close(),
  };
}
