import { compareBytes, utf8 } from '../bytes.ts';
import { isStorageError, StorageError } from '../errors.ts';
import type { ReleaseDirectory } from '../file-system/claim-directory.ts';
import { toFileError } from '../file-system/file-access.ts';
import type { OperationOptions } from '../key-value/key-value-store.ts';
import { type CatalogEntry, type FileCatalog, type FileInfo, infoOf } from './file-catalog.ts';
import { type FileContents, isContentError } from './file-contents.ts';
import { checkedFileName } from './file-names.ts';
import { collectProblems, readThrough } from './file-problems.ts';
import { createFileQuota, type FileQuota } from './file-quota.ts';
import type { ReadRange, StoredFile } from './file-reader.ts';
import type {
  FileRotationReport,
  FileStore,
  FileStoreOptions,
  FileStoreStats,
  FileVerifyReport,
  FileWriteOptions,
} from './file-store.ts';
import type { FileContent } from './file-writer.ts';
import { createNameTurns, type NameTurns } from './name-turns.ts';
import { createOpenedFiles, type OpenedFiles } from './opened-files.ts';
import { createReplacedFiles, type ReplacedFiles } from './replaced-files.ts';

/** What a file store works with once its directory is open. */
export interface FileStoreParts {
  readonly catalog: FileCatalog;
  readonly contents: FileContents;
  readonly options: FileStoreOptions;
  readonly restored: readonly string[];
  /** Of all plaintexts in the catalog. */
  readonly totalBytes: number;
  /** Called when everything is closed. */
  readonly release: ReleaseDirectory;
}

const MAX_OPEN_ATTEMPTS = 10;

/** A file store over a directory and its catalog. */
export class DirectoryFileStore implements FileStore {
  readonly restored: readonly string[];
  readonly #catalog: FileCatalog;
  readonly #contents: FileContents;
  readonly #replaced: ReplacedFiles;
  readonly #quota: FileQuota;
  readonly #now: () => number;
  readonly #release: ReleaseDirectory;
  /** Changes of one name happen one after the other. */
  readonly #exclusively: NameTurns = createNameTurns();
  readonly #running = new Set<Promise<unknown>>();
  readonly #opened: OpenedFiles = createOpenedFiles();
  #closing: Promise<void> | undefined;

  constructor({ catalog, contents, options, restored, totalBytes, release }: FileStoreParts) {
    this.restored = restored;
    this.#catalog = catalog;
    this.#contents = contents;
    this.#replaced = createReplacedFiles(catalog, contents);
    this.#quota = createFileQuota(totalBytes, options);
    this.#now = options.now ?? Date.now;
    this.#release = release;
  }

  write(name: string, content: FileContent, options: FileWriteOptions = {}): Promise<FileInfo> {
    return this.#run(options.signal, async () => {
      checkedFileName(name);
      const { sync = true } = options;
      const entry = await this.#writeContent(name, content, { ...options, sync });
      await this.#commit(entry, { sync, isWanted: async () => true });
      if (this.#replaced.isFull) await this.#settle();
      return infoOf(entry);
    });
  }

  open(name: string, { signal }: OperationOptions = {}): Promise<StoredFile | undefined> {
    return this.#run(signal, async () => {
      const bytes = checkedFileName(name);
      for (let attempt = 0; ; attempt++) {
        const entry = await this.#catalog.get(bytes, { signal });
        if (entry === undefined) return undefined;
        try {
          return this.#opened.track(await this.#contents.open(entry));
        } catch (error) {
          // A new content came between the two: the old file is gone, the new one is there.
          if (!isStorageError(error, 'FILE_MISSING') || attempt === MAX_OPEN_ATTEMPTS) throw error;
          if (await this.#isCurrent(entry)) throw error;
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
    return this.#run(signal, async () => {
      const bytes = checkedFileName(name);
      await this.#exclusively(name, async () => {
        const old = await this.#catalog.get(bytes);
        if (old === undefined && !sync) return;
        await this.#replaced.change(name, { entry: undefined, old }, sync);
        this.#quota.release(old?.size ?? 0);
      });
      if (this.#replaced.isFull) await this.#settle();
    });
  }

  async *list({
    prefix = '',
    signal,
  }: { prefix?: string | undefined } & OperationOptions = {}): AsyncGenerator<FileInfo, void> {
    this.#assertOpen(signal);
    for await (const entry of this.#entries(prefix, signal)) yield infoOf(entry);
  }

  verify({ signal }: OperationOptions = {}): Promise<FileVerifyReport> {
    return this.#run(signal, async () => {
      let files = 0;
      const problems = await collectProblems(this.#entries('', signal), async ({ name }) => {
        files++;
        await readThrough(await this.open(name, { signal }), signal);
      });
      return { files, problems };
    });
  }

  compact({ signal }: OperationOptions = {}): Promise<{ removed: number }> {
    return this.#run(signal, async () => {
      await this.#settle();
      const list = (): AsyncIterable<CatalogEntry> => this.#listed(signal);
      return { removed: await this.#contents.removeOthers(list) };
    });
  }

  stats({ signal }: OperationOptions = {}): Promise<FileStoreStats> {
    return this.#run(signal, async () => {
      let [files, bytes] = [0, 0];
      for await (const { size } of this.#entries('', signal)) {
        files++;
        bytes += size;
      }
      return { files, bytes };
    });
  }

  rotateKeys({ signal }: OperationOptions = {}): Promise<FileRotationReport> {
    return this.#run(signal, async () => {
      let rewritten = 0;
      await this.#settle();
      const problems = await collectProblems(this.#entries('', signal), async (entry) => {
        if (await this.#rewrite(entry, signal)) rewritten++;
      });
      return { rewritten, problems };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running);
    try {
      await this.#opened.close();
      await this.#settle();
    } catch (error) {
      // What is kept besides stays for the next opening.
      throw toFileError(error);
    } finally {
      await this.#release();
    }
  }

  /** Makes every change without `sync` durable. */
  async #settle(): Promise<void> {
    for (const name of this.#replaced.names()) {
      await this.#exclusively(name, () => this.#replaced.settle(name));
    }
  }

  #entries(prefix: string, signal: AbortSignal | undefined): AsyncIterable<CatalogEntry> {
    return this.#catalog.entries(utf8(prefix), signal);
  }

  async *#listed(signal: AbortSignal | undefined): AsyncGenerator<CatalogEntry, void> {
    // The entry that is replaced meanwhile is in the second list.
    yield* this.#entries('', signal);
    yield* this.#catalog.replaced();
  }

  /** The same content under a fresh key, unless the file changes meanwhile. */
  async #rewrite(old: CatalogEntry, signal: AbortSignal | undefined): Promise<boolean> {
    const isWanted = (): Promise<boolean> => this.#isCurrent(old);
    if (!(await isWanted())) return false;
    try {
      await using file = await this.#contents.open(old);
      const content = file.read({ signal });
      const entry = await this.#writeContent(old.name, content, { signal, sync: true, isRewrite: true });
      return await this.#commit({ ...entry, modified: old.modified }, { sync: true, isWanted });
    } catch (error) {
      if (isContentError(error) && !(await isWanted())) return false;
      throw error;
    }
  }

  async #isCurrent({ name, id }: CatalogEntry): Promise<boolean> {
    const current = await this.#catalog.get(checkedFileName(name));
    return current !== undefined && compareBytes(current.id, id) === 0;
  }

  async #writeContent(
    name: string,
    content: FileContent,
    {
      sync,
      signal,
      isRewrite = false,
    }: { sync: boolean; signal?: AbortSignal | undefined; isRewrite?: boolean },
  ): Promise<CatalogEntry> {
    let size = 0;
    const onBytes = (count: number): void => {
      if (!isRewrite) this.#quota.reserve(size + count, count);
      size += count;
    };
    try {
      const { id, key } = await this.#contents.write(content, { sync, signal, onBytes });
      if (isRewrite) this.#quota.add(size);
      return { name, id, key, size, modified: this.#now() };
    } catch (error) {
      if (!isRewrite) this.#quota.release(size);
      throw error;
    }
  }

  /** Puts the entry into the catalog, which is the moment of the change. @returns whether it was still wanted */
  #commit(
    entry: CatalogEntry,
    { sync, isWanted }: { sync: boolean; isWanted: () => Promise<boolean> },
  ): Promise<boolean> {
    return this.#exclusively(entry.name, async () => {
      try {
        if (!(await isWanted())) {
          this.#quota.release(entry.size);
          await this.#contents.remove(entry.id);
          return false;
        }
        const old = await this.#catalog.get(checkedFileName(entry.name));
        await this.#replaced.change(entry.name, { entry, old }, sync);
        this.#quota.release(old?.size ?? 0);
        return true;
      } catch (error) {
        // The entry may have reached the disk: the file stays until `compact` knows.
        this.#quota.release(entry.size);
        throw error;
      } finally {
        this.#contents.release(entry.id);
      }
    });
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
