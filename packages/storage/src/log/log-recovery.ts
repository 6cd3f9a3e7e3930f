import { compareBytes } from '../bytes.ts';
import { withFile } from '../file-system/file-access.ts';
import type { FileSystem, OpenedFile } from '../file-system/file-system.ts';
import { logError, SEGMENT_HEADER_BYTES } from './log-codec.ts';
import { findLaterEntry, openSegmentFile, readEntries, type SegmentReading } from './log-segment.ts';
import type { LogCheckpoint, Segment, SegmentEnd } from './log-state.ts';
import { cutTornTail, type TornTail } from './torn-tail.ts';

/** Where a segment stands. */
export interface SegmentPosition extends LogCheckpoint {
  /** The position behind its last entry. */
  readonly position: number;
}

/** What is needed to read the segments of a log. */
export interface LogFiles {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly chainKey: Uint8Array;
}

/**
 * Reads the segment that is written to up to its last valid entry and cuts what an interrupted write has left.
 * Damage before something that is known to have been durable is no torn tail, and nothing is cut.
 * @throws StorageError `LOG_CORRUPT`, `LOG_TRUNCATED`, `LOG_ROLLED_BACK`
 */
export async function recoverSegment(
  files: LogFiles,
  segment: Segment,
  checkpoints: readonly LogCheckpoint[],
): Promise<{ end: SegmentPosition; torn: TornTail | undefined }> {
  return withFile(openSegmentFile(files.fs, files.directory, segment, 'update'), async (file) => {
    const size = await file.size();
    const reading: SegmentReading = { segment, limit: size, ...files };
    const end = await scan(file, reading, checkpoints);
    const isDamaged = end.position < size;
    if (isDamaged) await refuseTampering(file, reading, end, checkpoints);
    for (const checkpoint of checkpoints) {
      if (checkpoint.sequence > end.sequence) throw logError(isDamaged ? 'LOG_CORRUPT' : 'LOG_ROLLED_BACK');
    }
    if (!isDamaged) return { end, torn: undefined };
    return { end, torn: await cutTornTail(files, segment, { file, end, size }) };
  });
}

/**
 * Reads a segment up to the end that is known.
 * @throws StorageError `LOG_CORRUPT`, `LOG_TRUNCATED`, `LOG_ROLLED_BACK`
 */
export async function checkSegment(
  files: LogFiles,
  segment: Segment,
  end: SegmentEnd,
  checkpoints: readonly LogCheckpoint[],
): Promise<void> {
  await withFile(openSegmentFile(files.fs, files.directory, segment, 'read'), async (file) => {
    const size = await file.size();
    const found = await scan(file, { segment, limit: Math.min(size, end.bytes), ...files }, checkpoints);
    if (size < end.bytes && found.position === size) throw logError('LOG_TRUNCATED');
    const isWhole = found.position === end.bytes && found.sequence === end.sequence;
    // The segment that is written to may have grown meanwhile.
    const isLonger = segment.end !== undefined && size > end.bytes;
    if (!isWhole || isLonger || compareBytes(found.hash, end.hash) !== 0) throw logError('LOG_CORRUPT');
  });
}

async function scan(
  file: OpenedFile,
  reading: SegmentReading,
  checkpoints: readonly LogCheckpoint[],
): Promise<SegmentPosition> {
  const { segment } = reading;
  let end: SegmentPosition = { sequence: segment.first, hash: segment.start, position: SEGMENT_HEADER_BYTES };
  compareWith(checkpoints, end);
  for await (const { entry, chain, end: position } of readEntries(file, reading)) {
    end = { sequence: entry.sequence + 1, hash: chain!, position };
    compareWith(checkpoints, end);
  }
  return end;
}

/** A log that has another past than its checkpoint says. */
function compareWith(checkpoints: readonly LogCheckpoint[], at: LogCheckpoint): void {
  for (const { sequence, hash } of checkpoints) {
    if (sequence === at.sequence && compareBytes(hash, at.hash) !== 0) throw logError('LOG_ROLLED_BACK');
  }
}

async function refuseTampering(
  file: OpenedFile,
  reading: SegmentReading,
  { position, sequence }: SegmentPosition,
  checkpoints: readonly LogCheckpoint[],
): Promise<void> {
  if (checkpoints.some((checkpoint) => checkpoint.sequence > sequence)) throw logError('LOG_CORRUPT');
  const later = await findLaterEntry(file, reading, { position, sequence });
  // It says that the damaged entry was on the disk before.
  if (later !== undefined && later.durable > sequence) throw logError('LOG_CORRUPT');
}
