import type { FileSystem } from '../file-system/file-system.ts';
import type { KeyValueStore, OperationOptions, WriteOptions } from '../key-value/key-value-store.ts';
import type { FileInfo } from './file-catalog.ts';
import type { ReadRange, StoredFile } from './file-reader.ts';
import type { FileContent } from './file-writer.ts';

/** Options of {@link openFileStore}. */
export interface FileStoreOptions extends OperationOptions {
  /**
   * An encrypted store, or a namespace of one, that is this directory's alone: names, sizes and keys of the files lie in
   * it. It stays open when the file store is closed.
   */
  readonly catalog: KeyValueStore;
  /** @defaultValue no limit but the file system's */
  readonly maxFileBytes?: number | undefined;
  /** Of all plaintexts together. @defaultValue no limit */
  readonly maxTotalBytes?: number | undefined;
  /** @defaultValue the file system of Node */
  readonly fileSystem?: FileSystem | undefined;
  /** @defaultValue Date.now */
  readonly now?: (() => number) | undefined;
}

/** Options of {@link FileStore.write}. */
export interface FileWriteOptions extends WriteOptions {
  /**
   * Without it a power loss may damage the new content, which is found out; then the one before is there again
   * ({@link FileStore.restored}). A name that had no content before may have none. @defaultValue true
   */
  readonly sync?: boolean | undefined;
}

/** What a file store holds. */
export interface FileStoreStats {
  readonly files: number;
  /** Plaintext bytes. */
  readonly bytes: number;
}

/** A file that {@link FileStore.verify} or {@link FileStore.rotateKeys} could not accept. */
export interface FileProblem {
  readonly name: string;
  readonly code:
    | 'FILE_MISSING'
    | 'FILE_CORRUPT'
    | 'FILE_TRUNCATED'
    | 'FILE_ROLLED_BACK'
    | 'UNSUPPORTED_FORMAT';
}

/** The outcome of reading every file. */
export interface FileVerifyReport {
  readonly files: number;
  readonly problems: readonly FileProblem[];
}

/** The outcome of encrypting every file anew. */
export interface FileRotationReport {
  readonly rewritten: number;
  /** Files that are as they were, under their old keys: put a backup in their place, or delete them. */
  readonly problems: readonly FileProblem[];
}

/** Encrypted files by name in one directory; the directory itself shows neither names nor content. */
export interface FileStore extends AsyncDisposable {
  /**
   * Files whose last content, written without `sync`, did not survive what ended the store the last time: at opening they
   * got the content before it.
   */
  readonly restored: readonly string[];
  /**
   * Puts a file, or a new content for one, in place as a whole: until this resolves, and whatever fails, the old one is there.
   * @throws StorageError `INVALID_NAME`, `FILE_TOO_LARGE`, `QUOTA_EXCEEDED`, `NO_SPACE`, `IO_ERROR`
   */
  write(name: string, content: FileContent, options?: FileWriteOptions): Promise<FileInfo>;
  /** The file for reading, or undefined. @throws StorageError of its content: `FILE_MISSING`, `FILE_CORRUPT`, ... */
  open(name: string, options?: OperationOptions): Promise<StoredFile | undefined>;
  /** The content of a file that fits into memory, or undefined. */
  read(name: string, range?: ReadRange): Promise<Uint8Array | undefined>;
  stat(name: string, options?: OperationOptions): Promise<FileInfo | undefined>;
  /**
   * Deleting what is not there succeeds. Its key is forgotten, so that no copy can be read again; without `sync` not before
   * the next `compact` or the closing.
   */
  delete(name: string, options?: FileWriteOptions): Promise<void>;
  /** In the order of the names' bytes. */
  list(options?: { prefix?: string | undefined } & OperationOptions): AsyncIterable<FileInfo>;
  /** Reads every file to its end. */
  verify(options?: OperationOptions): Promise<FileVerifyReport>;
  /** Makes changes without `sync` durable and removes what they and crashes have left behind. @returns how many files of the directory were removed */
  compact(options?: OperationOptions): Promise<{ removed: number }>;
  stats(options?: OperationOptions): Promise<FileStoreStats>;
  /**
   * Encrypts every file anew under a fresh key while the store is in use; repeat it after an interruption. A damaged file
   * does not stop it, see {@link FileRotationReport.problems}.
   */
  rotateKeys(options?: OperationOptions): Promise<FileRotationReport>;
}
