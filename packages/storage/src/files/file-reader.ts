import { type AeadKey, chacha20poly1305 } from '@nzcore/crypto';
import { StorageError } from '../errors.ts';
import { fillFrom, isMissing, readFully, toFileError } from '../file-system/file-access.ts';
import type { FileSystem, OpenedFile } from '../file-system/file-system.ts';
import type { OperationOptions } from '../key-value/key-value-store.ts';
import {
  CHUNK_BYTES,
  checkFileHeader,
  chunkPosition,
  FILE_HEADER_BYTES,
  fileError,
  lastChunkIndex,
  openChunk,
  plaintextSize,
  SEALED_CHUNK_BYTES,
} from './file-codec.ts';

/** Which bytes: from `start` up to, not including, `end`. */
export interface ReadRange extends OperationOptions {
  /** @defaultValue 0 */
  readonly start?: number | undefined;
  /** @defaultValue the size of the file */
  readonly end?: number | undefined;
}

/** An encrypted file, open for reading; it stays as it is when its name gets another content. */
export interface StoredFile extends AsyncDisposable {
  readonly size: number;
  /** Authenticated pieces of at most 64 KiB, in fresh memory. */
  read(range?: ReadRange): AsyncIterable<Uint8Array>;
  /** Up to `length` bytes from `position` on; fewer only at the end. */
  readAt(position: number, length: number, options?: OperationOptions): Promise<Uint8Array>;
}

/** How a file is found and opened. */
export interface FileReaderOptions {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** 16 bytes. */
  readonly id: Uint8Array;
}

// Read from the file system in blocks of 16 chunks, one ahead of what is decrypted.
const BLOCK_CHUNKS = 16;

/**
 * Opens an encrypted file and authenticates its end, and with it its size.
 * @throws StorageError `FILE_MISSING`, `FILE_TRUNCATED`, `FILE_CORRUPT`, `FILE_ROLLED_BACK`, `IO_ERROR`
 */
export async function openEncrypted(
  fs: FileSystem,
  path: string,
  { key, id }: FileReaderOptions,
): Promise<StoredFile> {
  const file = await fs.open(path, 'read').catch((error: unknown) => {
    if (isMissing(error)) throw fileError('FILE_MISSING', error);
    // A symbolic link, or no regular file: nothing that was written here.
    const { code } = error as { code?: unknown };
    if (code === 'ELOOP' || code === 'EINVAL' || code === 'EMLINK') throw fileError('FILE_CORRUPT', error);
    throw toFileError(error);
  });
  const aead = chacha20poly1305.importKey(key);
  try {
    const header = await readFully(file, FILE_HEADER_BYTES, 0);
    checkFileHeader(header, id);
    const size = plaintextSize(await file.size());
    const reading: Reading = { file, aead, header, size, isClosed: false };
    const last = lastChunkIndex(size);
    await readChunks(reading, last, 1);
    return createStoredFile(reading);
  } catch (error) {
    aead.dispose();
    await file.close();
    throw toFileError(error);
  }
}

interface Reading {
  readonly file: OpenedFile;
  readonly aead: AeadKey;
  readonly header: Uint8Array;
  readonly size: number;
  isClosed: boolean;
}

function createStoredFile(reading: Reading): StoredFile {
  const { size, file, aead } = reading;
  let closing: Promise<void> | undefined;
  return {
    size,
    read: (range = {}) => readRange(reading, range),
    readAt: async (position, length, { signal } = {}) => {
      checkOffset('position', position);
      checkOffset('length', length);
      const end = Math.min(size, position + length);
      const bytes = new Uint8Array(Math.max(0, end - position));
      let filled = 0;
      for await (const part of readRange(reading, { start: position, end, signal })) {
        bytes.set(part, filled);
        filled += part.length;
      }
      return bytes;
    },
    [Symbol.asyncDispose]: () => {
      if (closing === undefined) {
        reading.isClosed = true;
        aead.dispose();
        closing = file.close();
      }
      return closing;
    },
  };
}

async function* readRange(
  reading: Reading,
  { start = 0, end = reading.size, signal }: ReadRange,
): AsyncGenerator<Uint8Array, void> {
  checkOffset('start', start);
  checkOffset('end', end);
  const stop = Math.min(end, reading.size);
  if (reading.isClosed) throw closed();
  if (start >= stop) return;
  const last = Math.floor((stop - 1) / CHUNK_BYTES);
  let index = Math.floor(start / CHUNK_BYTES);
  // Two buffers in turn: a block is read into one while what is in the other is decrypted.
  let [next, other] = [new Uint8Array(0), new Uint8Array(0)];
  const fetch = (from: number): Promise<Uint8Array[]> | undefined => {
    const count = Math.min(BLOCK_CHUNKS, last - from + 1);
    if (count < 1) return undefined;
    const size = count * SEALED_CHUNK_BYTES;
    if (next.length < size) next = new Uint8Array(size);
    const block = readSealed(reading, from, count, next);
    [next, other] = [other, next];
    block.catch(() => {});
    return block;
  };
  try {
    for (let block = fetch(index); block !== undefined; ) {
      signal?.throwIfAborted();
      const sealed = await block;
      block = fetch(index + sealed.length);
      for (const chunk of sealed) {
        signal?.throwIfAborted();
        const plaintext = openAt(reading, chunk, index);
        const offset = index * CHUNK_BYTES;
        yield plaintext.subarray(Math.max(0, start - offset), Math.min(plaintext.length, stop - offset));
        index++;
      }
    }
  } catch (error) {
    throw reading.isClosed ? closed() : toFileError(error);
  }
}

async function readChunks(reading: Reading, index: number, count: number): Promise<Uint8Array[]> {
  const sealed = await readSealed(reading, index, count, new Uint8Array(count * SEALED_CHUNK_BYTES));
  return sealed.map((chunk, i) => openAt(reading, chunk, index + i));
}

function openAt(reading: Reading, sealed: Uint8Array, index: number): Uint8Array {
  const { aead, header, size } = reading;
  if (reading.isClosed) throw closed();
  return openChunk(aead, header, sealed, { index, isLast: index === lastChunkIndex(size) });
}

async function readSealed(
  { file, size }: Reading,
  index: number,
  count: number,
  memory: Uint8Array,
): Promise<Uint8Array[]> {
  const from = chunkPosition(index);
  const isToEnd = index + count - 1 === lastChunkIndex(size);
  const length = isToEnd
    ? size - index * CHUNK_BYTES + count * (SEALED_CHUNK_BYTES - CHUNK_BYTES)
    : count * SEALED_CHUNK_BYTES;
  const bytes = await fillFrom(file, memory.subarray(0, length), from);
  if (bytes.length < length) throw fileError('FILE_TRUNCATED');
  return Array.from({ length: count }, (_, i) =>
    bytes.subarray(i * SEALED_CHUNK_BYTES, (i + 1) * SEALED_CHUNK_BYTES),
  );
}

function closed(): StorageError {
  return new StorageError('STORE_CLOSED', 'the file is closed');
}

function checkOffset(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${name} must be a non-negative integer`);
}
