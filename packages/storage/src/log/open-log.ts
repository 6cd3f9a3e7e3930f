import { ready } from '@nzcore/crypto';
import { compareBytes } from '../bytes.ts';
import { bindDirectory } from '../file-system/bound-directory.ts';
import { claimDirectory, type ReleaseDirectory } from '../file-system/claim-directory.ts';
import { toFileError, withFile } from '../file-system/file-access.ts';
import type { FileSystem } from '../file-system/file-system.ts';
import { nodeFileSystem } from '../file-system/node-file-system.ts';
import type { KeyValueStore, OperationOptions } from '../key-value/key-value-store.ts';
import type { AppendLog, LogRetention } from './append-log.ts';
import { createSegment } from './create-segment.ts';
import { EMPTY_CHAIN, logError, MAX_ENTRY_BYTES, SEGMENT_HEADER_BYTES } from './log-codec.ts';
import { checkSegment, type LogFiles, recoverSegment } from './log-recovery.ts';
import { openSegmentFile } from './log-segment.ts';
import {
  type LogCheckpoint,
  type LogState,
  newSegment,
  openLogState,
  type Segment,
  segmentFile,
} from './log-state.ts';
import { createSegmentWriter, type SegmentWriter } from './log-writer.ts';
import { createAppendLog } from './segmented-log.ts';
import { removeTornTails } from './torn-tail.ts';

/** Options of {@link openLog}. */
export interface LogOptions extends OperationOptions {
  /**
   * An encrypted store, or a namespace of one, that is this log's alone: the keys and bounds of segments lie in it. It stays
   * open when the log is closed.
   */
  readonly store: KeyValueStore;
  /** After how many bytes a segment is completed. @defaultValue 16 MiB */
  readonly segmentBytes?: number | undefined;
  /** @defaultValue 1 MiB */
  readonly maxEntryBytes?: number | undefined;
  /** @defaultValue everything is kept */
  readonly retention?: LogRetention | undefined;
  /** Refuses a log that has not come as far, or came another way: `LOG_ROLLED_BACK`. */
  readonly notBefore?: LogCheckpoint | undefined;
  /** @defaultValue the file system of Node */
  readonly fileSystem?: FileSystem | undefined;
  /** @defaultValue Date.now */
  readonly now?: (() => number) | undefined;
}

/**
 * Opens, or makes, a log in a directory of its own. What an interrupted write has left at its end is cut and reported
 * as `torn`.
 *
 * @throws StorageError `LOG_CORRUPT`, `LOG_TRUNCATED`, `LOG_ROLLED_BACK`; `STORE_CORRUPT` when directory and store do not
 *   belong together; `DIRECTORY_IN_USE` when it is open already; `IO_ERROR`, `NO_SPACE`
 */
export async function openLog(directory: string, options: LogOptions): Promise<AppendLog> {
  const { fileSystem = nodeFileSystem, segmentBytes = 16 * 1_048_576, maxEntryBytes = 1_048_576 } = options;
  for (const [name, value] of Object.entries({ segmentBytes, maxEntryBytes })) {
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a positive integer`);
  }
  if (maxEntryBytes > MAX_ENTRY_BYTES)
    throw new RangeError(`maxEntryBytes must be at most ${MAX_ENTRY_BYTES}`);
  options.signal?.throwIfAborted();
  await ready();
  let release: ReleaseDirectory | undefined;
  try {
    await fileSystem.makeDirectory(directory);
    release = await claimDirectory(fileSystem, directory, 'log');
    // Not before: of two first openings at once, the one that is refused would put its chain key in place of the other's.
    const state = await openLogState(options.store);
    const files: LogFiles = { fs: fileSystem, directory, chainKey: state.chainKey };
    await bindDirectory(fileSystem, directory, state, { marker: 'nzcore-log', extension: '.nzl' });
    const segments = await state.segments();
    const checkpoints = await checkpointsOf(state, options.notBefore);
    checkOrder(segments);
    const last = segments.at(-1);
    await checkOldCheckpoints(files, segments, checkpoints);
    const { writer, torn } =
      last === undefined
        ? { writer: await begin(files, state, segments, checkpoints), torn: undefined }
        : await resume(files, last, checkpoints);
    await removeLeftovers(files, segments).catch(async (error: unknown) => {
      await writer.close();
      throw error;
    });
    const { retention = {}, now = Date.now } = options;
    return createAppendLog(
      { ...files, state, segmentBytes, maxEntryBytes, retention, now, torn, release },
      segments,
      writer,
    );
  } catch (error) {
    await release?.();
    throw toFileError(error);
  }
}

async function checkpointsOf(
  state: LogState,
  notBefore: LogCheckpoint | undefined,
): Promise<LogCheckpoint[]> {
  const known = await state.checkpoint();
  return [known, notBefore].filter((checkpoint) => checkpoint !== undefined);
}

/** Each segment begins where the one before ends, and only the last one is not complete. */
function checkOrder(segments: readonly Segment[]): void {
  for (const [i, segment] of segments.entries()) {
    const next = segments[i + 1];
    if ((next === undefined) !== (segment.end === undefined)) throw logError('LOG_TRUNCATED');
    if (next === undefined || segment.end === undefined) continue;
    if (next.first !== segment.end.sequence) throw logError('LOG_TRUNCATED');
    if (compareBytes(next.start, segment.end.hash) !== 0) throw logError('LOG_CORRUPT');
  }
}

async function begin(
  files: LogFiles,
  state: LogState,
  segments: Segment[],
  checkpoints: readonly LogCheckpoint[],
): Promise<SegmentWriter> {
  if (checkpoints.some(({ sequence }) => sequence > 0)) throw logError('LOG_ROLLED_BACK');
  await refuseForgottenEntries(files);
  const segment = newSegment(0, EMPTY_CHAIN);
  const writer = await createSegment(files, segment);
  try {
    await state.update([segment], []);
  } catch (error) {
    await writer.close();
    throw error;
  }
  segments.push(segment);
  return writer;
}

/** A crash leaves a first segment without entries at most. */
async function refuseForgottenEntries({ fs, directory }: LogFiles): Promise<void> {
  for (const name of await fs.list(directory)) {
    if (!name.endsWith('.nzl')) continue;
    const size = await withFile(fs.open(`${directory}/${name}`, 'read'), (file) => file.size());
    if (size > SEGMENT_HEADER_BYTES) throw logError('LOG_TRUNCATED');
  }
}

async function resume(
  files: LogFiles,
  segment: Segment,
  checkpoints: readonly LogCheckpoint[],
): Promise<{ writer: SegmentWriter; torn: AppendLog['torn'] }> {
  const { fs, directory, chainKey } = files;
  const { end, torn } = await recoverSegment(files, segment, checkpoints);
  const file = await openSegmentFile(fs, directory, segment, 'update');
  // What was found may be in the system's memory only, and new entries are about to say that it is durable.
  try {
    await file.sync();
  } catch (error) {
    await file.close();
    throw error;
  }
  return { writer: createSegmentWriter({ file, segment, chainKey, end, durable: end.sequence }), torn };
}

/** A checkpoint in a complete segment is compared by reading that segment; one before all of them cannot be. */
async function checkOldCheckpoints(
  files: LogFiles,
  segments: readonly Segment[],
  checkpoints: readonly LogCheckpoint[],
): Promise<void> {
  for (const checkpoint of checkpoints) {
    const segment = segments.find(
      ({ first, end }) =>
        end !== undefined && first <= checkpoint.sequence && checkpoint.sequence < end.sequence,
    );
    if (segment?.end !== undefined) await checkSegment(files, segment, segment.end, [checkpoint]);
  }
}

/** Files of segments whose keys are forgotten, or were never kept: nobody can read them. */
async function removeLeftovers({ fs, directory }: LogFiles, segments: readonly Segment[]): Promise<void> {
  const kept = new Set(segments.map(segmentFile));
  for (const name of await fs.list(directory)) {
    if (/^[0-9a-f]{32}\.(nzl|tmp)$/.test(name) && !kept.has(name)) await fs.remove(`${directory}/${name}`);
  }
  await removeTornTails(fs, directory, segments);
}
