import { constants, type FileHandle, open, readdir, rename, unlink } from 'node:fs/promises';
import type { FileSystem, OpenedFile, OpenMode } from './file-system.ts';
import { makeDirectory, syncDirectory } from './make-directory.ts';

const { O_CREAT, O_DIRECTORY = 0, O_EXCL, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY, O_RDWR } = constants;

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
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw Object.assign(new Error('not a regular file'), { code: 'EINVAL' });
      return openedFile(handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  },
  rename,
  remove: unlink,
  list: (directory) => readdir(directory),
  makeDirectory,
  identify: async (directory) => {
    // The number of a directory that was removed is soon another one's, but not while it is open. Its time of birth would tell
    // the two apart too, where the file system keeps one: others answer 0, or the time of whatever happened last.
    const handle = await open(directory, O_RDONLY | O_DIRECTORY);
    try {
      const { dev, ino } = await handle.stat({ bigint: true });
      return { id: `${dev}:${ino}`, release: () => handle.close() };
    } catch (error) {
      await handle.close();
      throw error;
    }
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
