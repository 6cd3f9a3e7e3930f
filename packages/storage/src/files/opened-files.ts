import type { StoredFile } from './file-reader.ts';

/** Files that are open for reading. */
export interface OpenedFiles {
  /** The file, counted as open until it is disposed of. */
  track(file: StoredFile): StoredFile;
  /** Closes those that are still open. */
  close(): Promise<void>;
}

export function createOpenedFiles(): OpenedFiles {
  const opened = new Set<StoredFile>();
  return {
    track: (file) => {
      const tracked: StoredFile = {
        size: file.size,
        read: (range) => file.read(range),
        readAt: (position, length, options) => file.readAt(position, length, options),
        [Symbol.asyncDispose]: async () => {
          opened.delete(tracked);
          await file[Symbol.asyncDispose]();
        },
      };
      opened.add(tracked);
      return tracked;
    },
    close: async () => {
      for (const file of opened) await file[Symbol.asyncDispose]();
    },
  };
}
