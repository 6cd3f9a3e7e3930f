import { toHex } from '../bytes.ts';
import { isStorageError, type StorageError } from '../errors.ts';
import { isMissing, replaceFile, withFile } from '../file-system/file-access.ts';
import type { FileSystem } from '../file-system/file-system.ts';
import { newFileKey } from './file-catalog.ts';
import { openEncrypted, type StoredFile } from './file-reader.ts';
import type { FileProblem } from './file-store.ts';
import { type FileContent, writeEncrypted } from './file-writer.ts';

/** A content by its id and key, whatever its name. */
export interface ContentKey {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
}

/** The encrypted contents in a directory, by their ids. */
export interface FileContents {
  /** Makes a new content; `onBytes` may refuse it. @returns its id and key */
  write(content: FileContent, options: WriteContentOptions): Promise<ContentKey>;
  open(content: ContentKey): Promise<StoredFile>;
  /** Whether the content is there as a whole and authenticates. */
  isIntact(content: ContentKey): Promise<boolean>;
  /** Makes a content and its name last that were written without. */
  sync(content: ContentKey): Promise<void>;
  /** What is not removed now is removed by `removeOthers`. */
  remove(id: Uint8Array): Promise<void>;
  /** A content that was written is listed in the catalog, or is not going to be. */
  release(id: Uint8Array): void;
  /** Removes every content but those that `list` gives and those under way. @returns how many */
  removeOthers(list: () => AsyncIterable<{ readonly id: Uint8Array }>): Promise<number>;
}

/** Options of {@link FileContents.write}. */
export interface WriteContentOptions {
  readonly sync: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onBytes: (count: number) => void;
}

/** The contents of a directory. */
export function createFileContents(fs: FileSystem, directory: string): FileContents {
  /** Ids of contents that are written, or written and not yet in the catalog. */
  const unlisted = new Set<string>();
  const pathOf = (id: Uint8Array): string => `${directory}/${storedName(id)}`;

  const isRemoved = async (name: string): Promise<boolean> => {
    try {
      await fs.remove(`${directory}/${name}`);
      return true;
    } catch (error) {
      // A new content, or a deletion, was faster.
      if (isMissing(error)) return false;
      throw error;
    }
  };

  const contents: FileContents = {
    write: async (content, { sync, signal, onBytes }) => {
      const { id, key } = newFileKey();
      const names = { temporary: `${toHex(id)}.tmp`, final: storedName(id) };
      unlisted.add(toHex(id));
      try {
        await replaceFile(
          fs,
          directory,
          names,
          async (file) => {
            await writeEncrypted(file, content, { key, id, onBytes, signal });
          },
          { sync },
        );
      } catch (error) {
        await contents.remove(id);
        throw error;
      }
      return { id, key };
    },
    open: ({ id, key }) => openEncrypted(fs, pathOf(id), { key, id }),
    isIntact: async (content) => {
      try {
        await using file = await contents.open(content);
        for await (const _ of file.read());
        return true;
      } catch (error) {
        if (isContentError(error)) return false;
        throw error;
      }
    },
    sync: async ({ id }) => {
      await withFile(fs.open(pathOf(id), 'update'), (file) => file.sync());
      await fs.syncDirectory(directory);
    },
    remove: async (id) => {
      unlisted.delete(toHex(id));
      await fs.remove(pathOf(id)).catch(() => {});
    },
    release: (id) => {
      unlisted.delete(toHex(id));
    },
    removeOthers: async (list) => {
      const found = await fs.list(directory);
      const kept = new Set(unlisted);
      for await (const { id } of list()) kept.add(toHex(id));
      let removed = 0;
      for (const name of found) {
        const id = /^([0-9a-f]{32})\.(nzf|tmp)$/.exec(name)?.[1];
        // What was begun since the catalog was read is among the unlisted ones now.
        if (id === undefined || kept.has(id) || unlisted.has(id)) continue;
        if (await isRemoved(name)) removed++;
      }
      return removed;
    },
  };
  return contents;
}

/** Whether an error says that a content is missing or not the one that was written. */
export function isContentError(error: unknown): error is StorageError & { code: FileProblem['code'] } {
  return isStorageError(error) && (error.code.startsWith('FILE_') || error.code === 'UNSUPPORTED_FORMAT');
}

/** Under which name the file system holds a content. */
function storedName(id: Uint8Array): string {
  return `${toHex(id)}.nzf`;
}
