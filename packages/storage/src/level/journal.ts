import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from '../errors.ts';
import { fillFrom, isMissing, withFile } from '../file-system/file-access.ts';
import type { OpenedFile } from '../file-system/file-system.ts';
import { nodeFileSystem } from '../file-system/node-file-system.ts';

// LevelDB's doc/log_format.md: blocks of 32 KiB, in them records: masked CRC-32C (4) | length (2) | type (1) | data; little-endian.
const BLOCK_BYTES = 32_768;
const HEADER_BYTES = 7;
const LAST_TYPE = 4;
const MASK = 0xa282ead8;
const READ_BYTES = 32 * BLOCK_BYTES;
const JOURNAL_NAME = /^\d+\.log$/;

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  return crc;
});

function maskedCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 255]! ^ (crc >>> 8);
  crc = ~crc;
  return (((crc >>> 15) | (crc << 17)) + MASK) >>> 0;
}

/** What is known of a journal so far: where its first damaged record is, and whether a whole one follows. */
interface Findings {
  damagedAt: number | undefined;
  isFollowed: boolean;
}

/** The end of the record at `at`, if a whole one is there. */
function endOfRecord(block: Uint8Array, view: DataView, at: number): number | undefined {
  const end = at + HEADER_BYTES + view.getUint16(at + 4, true);
  const type = view.getUint8(at + 6);
  const isWhole =
    type > 0 &&
    type <= LAST_TYPE &&
    end <= block.length &&
    view.getUint32(at, true) === maskedCrc32c(block.subarray(at + 6, end));
  return isWhole ? end : undefined;
}

function inspectBlock(block: Uint8Array, from: number, findings: Findings): void {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  for (let at = 0; at + HEADER_BYTES <= block.length; ) {
    const end = endOfRecord(block, view, at);
    if (end !== undefined && findings.damagedAt !== undefined) findings.isFollowed = true;
    if (findings.isFollowed) return;
    if (end === undefined) findings.damagedAt ??= from + at;
    // The length itself may be what is damaged: the next record is looked for at every byte.
    at = end ?? at + 1;
  }
}

/**
 * Refuses a store whose journals are damaged in the middle. LevelDB leaves out what it cannot read there and what follows in
 * the block, and says so in its own log file only: synced writes would be gone without a word.
 *
 * Damage at the very end is what a loss of power leaves behind a write that nobody was promised; LevelDB cuts it.
 *
 * @throws StorageError `STORE_CORRUPT` with the file and the offset; nothing is changed
 */
export async function checkJournals(directory: string, names: readonly string[]): Promise<void> {
  for (const name of names.filter((name) => JOURNAL_NAME.test(name))) {
    const { damagedAt, isFollowed } = await inspectJournal(join(directory, name));
    if (!isFollowed) continue;
    throw new StorageError(
      'STORE_CORRUPT',
      `${join(directory, name)} is damaged at byte ${damagedAt}: put a copy of the store back, or move this file away to go on without what was written last`,
    );
  }
}

async function inspectJournal(path: string): Promise<Findings> {
  const findings: Findings = { damagedAt: undefined, isFollowed: false };
  try {
    await withFile(nodeFileSystem.open(path, 'read'), (file) => inspectBlocks(file, findings));
  } catch (cause) {
    // Whoever has the store open needs it no more; the opening is going to say that it is locked.
    if (!isMissing(cause)) throw new StorageError('IO_ERROR', `cannot read ${path}`, { cause });
  }
  return findings;
}

async function inspectBlocks(file: OpenedFile, findings: Findings): Promise<void> {
  // Not beyond the size of this moment: whoever has the store open goes on writing, and the rest of a record that was half there
  // would look like one behind damage.
  const size = await file.size();
  const memory = new Uint8Array(Math.min(READ_BYTES, size));
  for (let from = 0; from < size && !findings.isFollowed; from += READ_BYTES) {
    const read = await fillFrom(file, memory.subarray(0, Math.min(READ_BYTES, size - from)), from);
    for (let block = 0; block < read.length; block += BLOCK_BYTES) {
      inspectBlock(read.subarray(block, block + BLOCK_BYTES), from + block, findings);
    }
  }
}

/**
 * Makes the journals before the last one last. When a journal is full LevelDB begins another one and never syncs the full one, whose
 * content is durable only when its table is: until then a sync of the new one says nothing of what was written before it.
 *
 * @param sync - Makes the content of a file last.
 */
export async function syncOlderJournals(
  directory: string,
  sync: (path: string) => Promise<void> = syncFile,
): Promise<void> {
  const names = (await readdir(directory)).filter((name) => JOURNAL_NAME.test(name));
  names.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  for (const name of names.slice(0, -1)) {
    await sync(join(directory, name)).catch((error: unknown) => {
      // Its table is durable by now, for LevelDB removes a journal only then.
      if (!isMissing(error)) throw error;
    });
  }
}

async function syncFile(path: string): Promise<void> {
  // Windows syncs only what may be written to.
  const file = await open(path, 'r+');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}
