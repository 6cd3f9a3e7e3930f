import { randomBytes } from '@nzcore/crypto';
import { concatBytes, utf8 } from '../bytes.ts';
import { StorageError } from '../errors.ts';
import type {
  BatchOperation,
  KeyValueStore,
  OperationOptions,
  Reader,
} from '../key-value/key-value-store.ts';

/** What is told of a file. */
export interface FileInfo {
  readonly name: string;
  /** Plaintext bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
}

/** What the catalog holds of a file besides. */
export interface CatalogEntry extends FileInfo {
  /** 16 random bytes; a new content has a new one. */
  readonly id: Uint8Array;
  /** 32 random bytes; a new content has a new one. */
  readonly key: Uint8Array;
}

/*
 * spec/storage.md §6.2: an entry of the catalog; its key is the file's name, its store is encrypted
 *
 *    0   1  version 1
 *    1  16  file id
 *   17  32  file key
 *   49   8  plaintext size
 *   57   8  time of the last change, in milliseconds
 */
const VERSION = 1;
const ENTRY_BYTES = 65;

const FILES = 'files';
const REPLACED = 'replaced';
const STATE = 'state';
const DIRECTORY_ID = utf8('directory');

/** How an entry is changed. */
export interface CatalogChange {
  readonly sync: boolean;
  /** In the same batch: keeps this entry as the replaced one of the name, or with `undefined` none; absent, what is kept stays. */
  readonly replaced?: CatalogEntry | undefined;
}

/** Which encrypted file belongs to which name. */
export interface FileCatalog {
  get(name: Uint8Array, options?: OperationOptions): Promise<CatalogEntry | undefined>;
  /** Puts the entry of a name in place, or removes it. */
  change(name: Uint8Array, entry: CatalogEntry | undefined, options: CatalogChange): Promise<void>;
  /** The entries that were replaced by changes that may not last. */
  replaced(): AsyncIterable<CatalogEntry>;
  /** All entries whose names begin with the prefix, in the order of their names. */
  entries(prefix: Uint8Array, signal: AbortSignal | undefined): AsyncIterable<CatalogEntry>;
  /** The id of the directory that the catalog belongs to. */
  directoryId(): Promise<Uint8Array | undefined>;
  setDirectoryId(id: Uint8Array): Promise<void>;
}

/** The catalog in a namespace of an encrypted store. */
export function createFileCatalog(store: KeyValueStore): FileCatalog {
  if (!store.isEncrypted) throw new TypeError('the keys of files are kept in an encrypted store only');
  const files = store.namespace(FILES);
  const state = store.namespace(STATE);
  return {
    get: async (name, options) => {
      const bytes = await files.get(name, options);
      return bytes === undefined ? undefined : decodeCatalogEntry(name, bytes);
    },
    change: (name, entry, options) => {
      const operations = [changeOf(FILES, name, entry)];
      if ('replaced' in options) operations.push(changeOf(REPLACED, name, options.replaced));
      return store.batch(operations, { sync: options.sync });
    },
    replaced: () => entriesOf(store.namespace(REPLACED), new Uint8Array(0), undefined),
    entries: (prefix, signal) => entriesOf(files, prefix, signal),
    directoryId: () => state.get(DIRECTORY_ID),
    setDirectoryId: (id) => state.put(DIRECTORY_ID, id, { sync: true }),
  };
}

function changeOf(namespace: string, key: Uint8Array, entry: CatalogEntry | undefined): BatchOperation {
  if (entry === undefined) return { type: 'delete', key, namespace: [namespace] };
  return { type: 'put', key, value: encodeEntry(entry), namespace: [namespace] };
}

async function* entriesOf(
  files: Reader,
  prefix: Uint8Array,
  signal: AbortSignal | undefined,
): AsyncGenerator<CatalogEntry, void> {
  for await (const [name, bytes] of files.iterate({ prefix, signal })) yield decodeCatalogEntry(name, bytes);
}

/** A new id and key for a content that is about to be written. */
export function newFileKey(): { id: Uint8Array; key: Uint8Array } {
  return { id: randomBytes(16), key: randomBytes(32) };
}

function encodeEntry({ id, key, size, modified }: CatalogEntry): Uint8Array {
  const numbers = new Uint8Array(16);
  const view = new DataView(numbers.buffer);
  view.setBigUint64(0, BigInt(size));
  view.setBigUint64(8, BigInt(modified));
  return concatBytes(Uint8Array.of(VERSION), id, key, numbers);
}

/** @throws StorageError `UNSUPPORTED_FORMAT` or `STORE_CORRUPT` */
export function decodeCatalogEntry(name: Uint8Array, bytes: Uint8Array): CatalogEntry {
  if (bytes[0] !== VERSION) throw new StorageError('UNSUPPORTED_FORMAT', 'an entry of an unknown version');
  if (bytes.length !== ENTRY_BYTES)
    throw new StorageError('STORE_CORRUPT', 'an entry of the catalog is damaged');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    name: new TextDecoder().decode(name),
    id: bytes.slice(1, 17),
    key: bytes.slice(17, 49),
    size: Number(view.getBigUint64(49)),
    modified: Number(view.getBigUint64(57)),
  };
}

/** What of an entry is shown. */
export function infoOf({ name, size, modified }: CatalogEntry): FileInfo {
  return { name, size, modified };
}
