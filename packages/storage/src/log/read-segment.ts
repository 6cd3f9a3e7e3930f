import { StorageError } from '../errors.ts';
import { toFileError } from '../file-system/file-access.ts';
import type { OpenedFile } from '../file-system/file-system.ts';
import type { LogEntry, LogProblem } from './append-log.ts';
import { logError } from './log-codec.ts';
import { checkSegment, type LogFiles } from './log-recovery.ts';
import { openSegmentFile, readEntries, type SegmentReading } from './log-segment.ts';
import type { LogCheckpoint, Segment, SegmentEnd } from './log-state.ts';

/** Which entries of a segment. */
export interface SegmentRange {
  readonly from: number;
  readonly to: number;
  /** Where the file ends for this reading, if the segment is written to. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** A segment, and the list of all as it is now: rotation of keys and retention go on while it is read. */
export interface SegmentOfMany {
  readonly segment: Segment;
  readonly segments: () => readonly Segment[];
}

/** The entries of a segment. @throws StorageError `LOG_CORRUPT`, `LOG_TRUNCATED` */
export async function* readLogSegment(
  files: LogFiles,
  which: SegmentOfMany,
  { from, to, limit, signal }: SegmentRange,
): AsyncGenerator<LogEntry, void> {
  const opened = await openForReading(files, which, from);
  if (opened === undefined) return;
  const { file, current } = opened;
  try {
    const reading: SegmentReading = { ...files, segment: current, from, limit: current.end?.bytes ?? limit };
    let next = from;
    for await (const { entry } of readEntries(file, reading)) {
      signal?.throwIfAborted();
      if (entry.sequence >= to) return;
      yield { sequence: entry.sequence, data: entry.data };
      next = entry.sequence + 1;
    }
    const last = current.end?.sequence ?? to;
    if (next < Math.min(to, last)) throw logError('LOG_CORRUPT');
  } catch (error) {
    throw toFileError(error);
  } finally {
    await file.close();
  }
}

/** The file of a segment, which may have been rewritten or removed since the reading began. */
async function openForReading(
  { fs, directory }: LogFiles,
  { segment, segments }: SegmentOfMany,
  from: number,
): Promise<{ file: OpenedFile; current: Segment } | undefined> {
  for (;;) {
    const current = segments().find(({ first }) => first === segment.first);
    if (current === undefined) {
      if (from < segments()[0]!.first) return undefined;
      throw logError('LOG_TRUNCATED');
    }
    try {
      return { file: await openSegmentFile(fs, directory, current, 'read'), current };
    } catch (error) {
      if (segments().includes(current)) throw toFileError(error);
    }
  }
}

/** What a segment is checked for. */
export interface SegmentCheck {
  readonly segment: Segment;
  readonly end: SegmentEnd;
  /** The end of the segment before it. */
  readonly expected: LogCheckpoint | undefined;
  /** Whether the segment is still part of the log. */
  readonly isCurrent: () => boolean;
}

/** Why a segment cannot be accepted; undefined when it can. */
export async function problemOf(
  files: LogFiles,
  { segment, end, expected, isCurrent }: SegmentCheck,
): Promise<LogProblem['code'] | undefined> {
  try {
    if (expected !== undefined && expected.sequence !== segment.first) throw logError('LOG_TRUNCATED');
    await checkSegment(files, segment, end, expected === undefined ? [] : [expected]);
    return undefined;
  } catch (error) {
    // Retention, or a rotation of keys, was faster.
    if (!isCurrent() && segment.end !== undefined) return undefined;
    return problemCodeOf(error);
  }
}

/** The code of an error that says that a segment cannot be believed; any other error is thrown. */
export function problemCodeOf(error: unknown): LogProblem['code'] {
  if (!(error instanceof StorageError)) throw toFileError(error);
  if (error.code === 'LOG_ROLLED_BACK') return 'LOG_CORRUPT';
  if (error.code === 'LOG_CORRUPT' || error.code === 'LOG_TRUNCATED') return error.code;
  if (error.code === 'UNSUPPORTED_FORMAT') return error.code;
  throw error;
}
