/** An open file. Errors are Node's, with their `code`. */
export interface OpenedFile {
  /** Fills `target` from `position` on as far as it can; 0 means the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>;
  /**
   * Writes the parts one after the other; the number of bytes written may be smaller than their sum. Nothing of the parts may be kept:
   * when it resolves their memory is given back.
   */
  write(parts: readonly Uint8Array[], position: number): Promise<number>;
  /** Resolves when content and size survive a power loss. */
  sync(): Promise<void>;
  truncate(size: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** How a file is opened: an existing one to read or to read and write, or a new one that must not exist. */
export type OpenMode = 'read' | 'update' | 'create';

/** A directory, by whatever path it is reached. */
export interface DirectoryIdentity {
  /** No other directory has it until it is released. */
  readonly id: string;
  release(): Promise<void>;
}

/**
 * What files and logs need of a file system. It is an argument, so that tests can make it fail.
 * No call follows a symbolic link in the last part of a path, or opens what is no regular file.
 */
export interface FileSystem {
  open(path: string, mode: OpenMode): Promise<OpenedFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  list(directory: string): Promise<string[]>;
  /** With all its parents, for the owner only; what is there already stays. */
  makeDirectory(path: string): Promise<void>;
  /** Finds out which directory a path leads to. @defaultValue the path itself */
  identify?(directory: string): Promise<DirectoryIdentity>;
  /** Resolves when the names in the directory survive a power loss. */
  syncDirectory(path: string): Promise<void>;
}
