import { createHash, randomUUID } from 'node:crypto';
import { open, readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { nodeFileSystem } from '@nzcore/storage/files';
import { giveFreeName, safeFileName } from './file-name.ts';
import { FileTransferError } from './file-transfer-error.ts';
import type { StreamReader } from './stream-reader.ts';

// Empty files take no bytes of the directory's bound, but a place in the file system each.
const MAX_FILES = 10_000;

/** What received files may take. */
export interface ReceivedFilesOptions {
  /** A larger file is refused before anything is written. */
  readonly maxBytes: number;
  /** What the directory may hold in all; a file that would not fit is refused. */
  readonly maxTotalBytes: number;
  /** How many files the directory may hold; one more is refused. @defaultValue 10000 */
  readonly maxFiles?: number;
  /** Tells this peer's files in transfer from those of others that share the directory. @defaultValue `peer` */
  readonly owner?: string;
}

/** A file that another peer wants to send. */
export interface AnnouncedFile {
  /** As the other peer wrote it. */
  readonly name: string;
  readonly size: number;
}

/** A file that is on this disk under its final name. */
export interface StoredFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** The directory of received files. */
export interface ReceivedFiles {
  /** Makes the directory, and removes what transfers of an earlier run left when the peer was killed. */
  prepare(): Promise<void>;
  /**
   * Takes a file's bytes and the SHA-256 behind them out of `reader`; what arrived in part is removed again.
   *
   * @throws FileTransferError with what the sender is to be told; a system error
   */
  store(file: AnnouncedFile, reader: StreamReader, onProgress: (bytes: number) => void): Promise<StoredFile>;
}

/** A directory for files of other peers; nothing is opened yet. */
export function createReceivedFiles(directory: string, options: ReceivedFilesOptions): ReceivedFiles {
  const { maxBytes, maxTotalBytes, maxFiles = MAX_FILES, owner = 'peer' } = options;
  const partsInTransfer = new Set<string>();
  let lastReservation: Promise<unknown> = Promise.resolve();

  /** Makes the partial file in its full size, so that it counts; one at a time, so that two cannot take the same room. */
  function reserve(size: number): Promise<string> {
    const reservation = lastReservation.then(async () => {
      await nodeFileSystem.makeDirectory(directory);
      const names = await readdir(directory);
      if (names.length >= maxFiles || (await bytesIn(directory, names)) + size > maxTotalBytes) {
        throw new FileTransferError('no-space', 'no more files are taken until some are removed');
      }
      const part = `.${owner}-${randomUUID()}.part`;
      partsInTransfer.add(part);
      await makeFile(join(directory, part), size).catch(async (error: unknown) => {
        await release(part);
        throw error;
      });
      return part;
    });
    lastReservation = reservation.catch(() => undefined); // Its own caller is told.
    return reservation;
  }

  async function release(part: string): Promise<void> {
    await rm(join(directory, part), { force: true });
    partsInTransfer.delete(part);
  }

  return {
    prepare: async () => {
      await nodeFileSystem.makeDirectory(directory);
      const isLeftOver = (name: string): boolean =>
        name.startsWith(`.${owner}-`) && name.endsWith('.part') && !partsInTransfer.has(name);
      for (const name of (await readdir(directory)).filter(isLeftOver)) await release(name);
    },
    store: async ({ name, size }, reader, onProgress) => {
      if (size > maxBytes) throw new FileTransferError('too-large', `more than ${maxBytes} bytes`);
      const part = await reserve(size);
      try {
        const sha256 = await writePart(join(directory, part), reader, { size, onProgress });
        const path = await giveFreeName(join(directory, part), directory, safeFileName(name));
        await nodeFileSystem.syncDirectory(directory);
        return { name: basename(path), path, bytes: size, sha256 };
      } finally {
        await release(part);
      }
    },
  };
}

async function bytesIn(directory: string, names: readonly string[]): Promise<number> {
  const sizes = names.map((name) =>
    stat(join(directory, name)).then(
      ({ size }) => size,
      () => 0, // Removed meanwhile.
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

async function makeFile(path: string, size: number): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.truncate(size);
  } finally {
    await file.close();
  }
}

async function writePart(
  path: string,
  reader: StreamReader,
  { size, onProgress }: { size: number; onProgress: (bytes: number) => void },
): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path, 'r+');
  try {
    for await (const chunk of reader.upTo(size)) {
      hash.update(chunk);
      await file.writeFile(chunk);
      onProgress(chunk.length);
    }
    const digest = hash.digest();
    if (!digest.equals(await reader.exactly(digest.length))) {
      throw new FileTransferError('damaged', 'the bytes do not have the hash that was sent');
    }
    await file.sync();
    return digest.toString('hex');
  } finally {
    await file.close();
  }
}
