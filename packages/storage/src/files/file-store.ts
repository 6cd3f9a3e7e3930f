import { ready } from '@nzcore/crypto';
import { compareBytes, toHex, utf8 } from '../bytes.ts';
import { isStorageError, StorageError } from '../errors.ts';
import { bindDirectory } from '../file-system/bound-directory.ts';
import { isMissing, replaceFile, toFileError } from '../file-system/file-access.ts';
import type { FileSystem } from '../file-system/file-system.ts';
import { nodeFileSystem } from '../file-system/node-file-system.ts';
import type { KeyValueStore, OperationOptions, WriteOptions } from '../key-value/key-value-store.ts';
import {
  type CatalogEntry,
  createFileCatalog,
  type FileCatalog,
  type FileInfo,
  newFileKey,
  storedName,
} from './file-catalog.ts';
import { checkedFileName } from './file-names.ts';
import { openEncrypted, type ReadRange, type StoredFile } from './file-reader.ts';
import { type FileContent, writeEncrypted } from './file-writer.ts';

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
  /** Without it a power loss may damage the file, which is found out. @defaultValue true */
  readonly sync?: boolean | undefined;
}

/** What a file store holds. */
export interface FileStoreStats {
  readonly files: number;
  /** Plaintext bytes. */
  readonly bytes: number;
}

/** A file that {@link FileStore.verify} could not accept. */
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

/** Encrypted files by name in one directory; the directory itself shows neither names nor content. */
export interface FileStore extends AsyncDisposable {
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
  /** Deleting what is not there succeeds. Its key is forgotten, so that no copy can be read again. */
  delete(name: string, options?: FileWriteOptions): Promise<void>;
  /** In the order of the names' bytes. */
  list(options?: { prefix?: string | undefined } & OperationOptions): AsyncIterable<FileInfo>;
  /** Reads every file to its end. */
  verify(options?: OperationOptions): Promise<FileVerifyReport>;
  /** Removes what crashes have left behind. @returns how many files of the directory were removed */
  compact(options?: OperationOptions): Promise<{ removed: number }>;
  stats(options?: OperationOptions): Promise<FileStoreStats>;
  /** Encrypts every file anew under a fresh key while the store is in use; repeat it after an interruption. */
  rotateKeys(options?: OperationOptions): Promise<{ rewritten: number }>;
}

/**
 * Opens, or makes, a directory of encrypted files.
 *
 * @throws StorageError `STORE_CORRUPT` when directory and catalog do not belong together; `IO_ERROR`; `NO_SPACE`
 */
export async function openFileStore(directory: string, options: FileStoreOptions): Promise<FileStore> {
  const { fileSystem = nodeFileSystem, signal } = options;
  signal?.throwIfAborted();
  await ready();
  const catalog = createFileCatalog(options.catalog);
  try {
    await fileSystem.makeDirectory(directory);
    await bindDirectory(fileSystem, directory, catalog, { marker: 'nzcore-files', extension: '.nzf' });
  } catch (error) {
    throw toFileError(error);
  }
  let bytes = 0;
  for await (const entry of catalog.entries(new Uint8Array(0), signal)) bytes += entry.size;
  return new DirectoryFileStore(directory, catalog, fileSystem, options, bytes);
}

class DirectoryFileStore implements FileStore {
  readonly #directory: string;
  readonly #catalog: FileCatalog;
  readonly #fs: FileSystem;
  readonly #maxFileBytes: number;
  readonly #maxTotalBytes: number;
  readonly #now: () => number;
  /** Plaintext bytes in the catalog and in writes under way. */
  #totalBytes: number;
  readonly #changing = new Map<string, Promise<unknown>>();
  /** Ids of files that are written, or written and not yet in the catalog. */
  readonly #unlisted = new Set<string>();
  readonly #running = new Set<Promise<unknown>>();
  readonly #opened = new Set<StoredFile>();
  #closing: Promise<void> | undefined;

  constructor(
    directory: string,
    catalog: FileCatalog,
    fs: FileSystem,
    options: FileStoreOptions,
    totalBytes: number,
  ) {
    this.#directory = directory;
    this.#catalog = catalog;
    this.#fs = fs;
    this.#maxFileBytes = options.maxFileBytes ?? Number.MAX_SAFE_INTEGER;
    this.#maxTotalBytes = options.maxTotalBytes ?? Number.MAX_SAFE_INTEGER;
    this.#now = options.now ?? Date.now;
    this.#totalBytes = totalBytes;
  }

  write(name: string, content: FileContent, options: FileWriteOptions = {}): Promise<FileInfo> {
    return this.#run(options.signal, async () => {
      const bytes = checkedFileName(name);
      const entry = await this.#writeContent(name, content, options);
      return this.#commit(bytes, entry, options.sync ?? true, async () => true);
    });
  }

  open(name: string, { signal }: OperationOptions = {}): Promise<StoredFile | undefined> {
    return this.#run(signal, async () => {
      const bytes = checkedFileName(name);
      for (let attempt = 0; ; attempt++) {
        const entry = await this.#catalog.get(bytes, { signal });
        if (entry === undefined) return undefined;
        try {
          return this.#track(await this.#openEntry(entry));
        } catch (error) {
          // A new content came between the two: the old file is gone, the new one is there.
          if (!isStorageError(error, 'FILE_MISSING') || attempt === MAX_OPEN_ATTEMPTS) throw error;
          const again = await this.#catalog.get(bytes, { signal });
          if (again !== undefined && compareBytes(again.id, entry.id) === 0) throw error;
        }
      }
    });
  }

  async read(name: string, range: ReadRange = {}): Promise<Uint8Array | undefined> {
    const file = await this.open(name, range);
    if (file === undefined) return undefined;
    await using opened = file;
    const { start = 0, end = opened.size, signal } = range;
    return await opened.readAt(start, Math.max(0, end - start), { signal });
  }

  stat(name: string, { signal }: OperationOptions = {}): Promise<FileInfo | undefined> {
    return this.#run(signal, async () => {
      const entry = await this.#catalog.get(checkedFileName(name), { signal });
      return entry === undefined ? undefined : infoOf(entry);
    });
  }

  delete(name: string, { sync = true, signal }: FileWriteOptions = {}): Promise<void> {
    return this.#run(signal, () => {
      const bytes = checkedFileName(name);
      return this.#exclusively(name, async () => {
        const entry = await this.#catalog.get(bytes);
        if (entry === undefined) return;
        await this.#catalog.delete(bytes, sync);
        this.#totalBytes -= entry.size;
        await this.#removeFile(entry.id);
      });
    });
  }

  async *list({
    prefix = '',
    signal,
  }: { prefix?: string | undefined } & OperationOptions = {}): AsyncGenerator<FileInfo, void> {
    this.#assertOpen(signal);
    for await (const entry of this.#catalog.entries(utf8(prefix), signal)) yield infoOf(entry);
  }

  verify({ signal }: OperationOptions = {}): Promise<FileVerifyReport> {
    return this.#run(signal, async () => {
      const problems: FileProblem[] = [];
      let files = 0;
      for await (const { name } of this.list({ signal })) {
        files++;
        const code = await this.#problemOf(name, signal);
        if (code !== undefined) problems.push({ name, code });
      }
      return { files, problems };
    });
  }

  compact({ signal }: OperationOptions = {}): Promise<{ removed: number }> {
    return this.#run(signal, async () => {
      const found = await this.#fs.list(this.#directory);
      const kept = new Set(this.#unlisted);
      for await (const { id } of this.#catalog.entries(new Uint8Array(0), signal)) kept.add(toHex(id));
      let removed = 0;
      for (const name of found) {
        const id = /^([0-9a-f]{32})\.(nzf|tmp)$/.exec(name)?.[1];
        // What was begun since the catalog was read is among the unlisted ones now.
        if (id === undefined || kept.has(id) || this.#unlisted.has(id)) continue;
        if (await this.#isRemoved(name)) removed++;
      }
      return { removed };
    });
  }

  stats({ signal }: OperationOptions = {}): Promise<FileStoreStats> {
    return this.#run(signal, async () => {
      let [files, bytes] = [0, 0];
      for await (const { size } of this.list({ signal })) {
        files++;
        bytes += size;
      }
      return { files, bytes };
    });
  }

  rotateKeys({ signal }: OperationOptions = {}): Promise<{ rewritten: number }> {
    return this.#run(signal, async () => {
      let rewritten = 0;
      for await (const entry of this.#catalog.entries(new Uint8Array(0), signal)) {
        if (await this.#rewrite(entry, signal)) rewritten++;
      }
      return { rewritten };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= (async () => {
      await Promise.allSettled(this.#running);
      for (const file of this.#opened) await file[Symbol.asyncDispose]();
    })();
    await this.#closing;
  }

  /** The same content under a fresh key, unless the file changes meanwhile. */
  async #rewrite(old: CatalogEntry, signal: AbortSignal | undefined): Promise<boolean> {
    const name = checkedFileName(old.name);
    const isSame = async (): Promise<boolean> => {
      const current = await this.#catalog.get(name);
      return current !== undefined && compareBytes(current.id, old.id) === 0;
    };
    if (!(await isSame())) return false;
    await using file = await this.#openEntry(old);
    const entry = await this.#writeContent(old.name, file.read({ signal }), { signal, isRewrite: true });
    let isReplaced = false;
    await this.#commit(name, { ...entry, modified: old.modified }, true, async () => {
      isReplaced = await isSame();
      return isReplaced;
    });
    return isReplaced;
  }

  async #writeContent(
    name: string,
    content: FileContent,
    { sync = true, signal, isRewrite = false }: FileWriteOptions & { isRewrite?: boolean },
  ): Promise<CatalogEntry> {
    const { id, key } = newFileKey();
    const names = { temporary: `${toHex(id)}.tmp`, final: storedName(id) };
    let size = 0;
    const onBytes = (count: number): void => {
      if (!isRewrite) this.#reserve(size + count, count);
      size += count;
    };
    this.#unlisted.add(toHex(id));
    try {
      const write = async (file: Parameters<Parameters<typeof replaceFile>[3]>[0]): Promise<void> => {
        await writeEncrypted(file, content, { key, id, onBytes, signal });
      };
      await replaceFile(this.#fs, this.#directory, names, write, { sync });
    } catch (error) {
      if (!isRewrite) this.#totalBytes -= size;
      await this.#removeFile(id);
      throw error;
    }
    if (isRewrite) this.#totalBytes += size;
    return { name, id, key, size, modified: this.#now() };
  }

  /** Puts the entry into the catalog, which is the moment of the change, and removes the file that it replaces. */
  #commit(
    name: Uint8Array,
    entry: CatalogEntry,
    sync: boolean,
    isWanted: () => Promise<boolean>,
  ): Promise<FileInfo> {
    return this.#exclusively(entry.name, async () => {
      let old: CatalogEntry | undefined;
      try {
        if (!(await isWanted())) throw SUPERSEDED;
        old = await this.#catalog.get(name);
        await this.#catalog.put(name, entry, sync);
      } catch (error) {
        // The entry may have reached the disk: the file stays until `compact` knows.
        this.#totalBytes -= entry.size;
        this.#unlisted.delete(toHex(entry.id));
        if (error !== SUPERSEDED) throw error;
        await this.#removeFile(entry.id);
        return infoOf(entry);
      }
      this.#unlisted.delete(toHex(entry.id));
      if (old !== undefined) {
        this.#totalBytes -= old.size;
        await this.#removeFile(old.id);
      }
      return infoOf(entry);
    });
  }

  #reserve(size: number, count: number): void {
    if (size > this.#maxFileBytes) {
      throw new StorageError('FILE_TOO_LARGE', `a file may have ${this.#maxFileBytes} bytes`);
    }
    if (this.#totalBytes + count > this.#maxTotalBytes) {
      throw new StorageError('QUOTA_EXCEEDED', `all files together may have ${this.#maxTotalBytes} bytes`);
    }
    this.#totalBytes += count;
  }

  async #isRemoved(name: string): Promise<boolean> {
    try {
      await this.#fs.remove(`${this.#directory}/${name}`);
      return true;
    } catch (error) {
      // A new content, or a deletion, was faster.
      if (isMissing(error)) return false;
      throw error;
    }
  }

  /** A file that is not removed now is removed by `compact`. */
  async #removeFile(id: Uint8Array): Promise<void> {
    this.#unlisted.delete(toHex(id));
    await this.#fs.remove(`${this.#directory}/${storedName(id)}`).catch(() => {});
  }

  #openEntry({ id, key }: CatalogEntry): Promise<StoredFile> {
    return openEncrypted(this.#fs, `${this.#directory}/${storedName(id)}`, { key, id });
  }

  #track(file: StoredFile): StoredFile {
    const tracked: StoredFile = {
      size: file.size,
      read: (range) => file.read(range),
      readAt: (position, length, options) => file.readAt(position, length, options),
      [Symbol.asyncDispose]: async () => {
        this.#opened.delete(tracked);
        await file[Symbol.asyncDispose]();
      },
    };
    this.#opened.add(tracked);
    return tracked;
  }

  async #problemOf(name: string, signal: AbortSignal | undefined): Promise<FileProblem['code'] | undefined> {
    try {
      const file = await this.open(name, { signal });
      if (file === undefined) return undefined;
      await using opened = file;
      for await (const _ of opened.read({ signal }));
      return undefined;
    } catch (error) {
      const isProblem =
        isStorageError(error) && (error.code.startsWith('FILE_') || error.code === 'UNSUPPORTED_FORMAT');
      if (!isProblem) throw error;
      return error.code as FileProblem['code'];
    }
  }

  /** Changes of one name happen one after the other. */
  async #exclusively<T>(name: string, action: () => Promise<T>): Promise<T> {
    const before = this.#changing.get(name) ?? Promise.resolve();
    const result = before.then(action, action);
    const settled = result.catch(() => {});
    this.#changing.set(name, settled);
    try {
      return await result;
    } finally {
      if (this.#changing.get(name) === settled) this.#changing.delete(name);
    }
  }

  async #run<T>(signal: AbortSignal | undefined, action: () => Promise<T>): Promise<T> {
    this.#assertOpen(signal);
    const running = action();
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      throw toFileError(error);
    } finally {
      this.#running.delete(running);
    }
  }

  #assertOpen(signal: AbortSignal | undefined): void {
    if (this.#closing !== undefined) throw new StorageError('STORE_CLOSED', 'the file store is closed');
    signal?.throwIfAborted();
  }
}

const MAX_OPEN_ATTEMPTS = 10;

const SUPERSEDED: unique symbol = Symbol('superseded');

function infoOf({ name, size, modified }: CatalogEntry): FileInfo {
  return { name, size, modified };
}
