import { concatBytes } from '../bytes.ts';
import { isMissing, readFully } from '../file-system/file-access.ts';
import type { FileSystem, OpenedFile } from '../file-system/file-system.ts';
import {
  checkSegmentHeader,
  decodeEntry,
  type EntryFrame,
  extendChain,
  FRAME_BYTES,
  follows,
  type LogEntryContent,
  logError,
  readFrame,
  SEGMENT_HEADER_BYTES,
  segmentKey,
} from './log-codec.ts';
import { type Segment, segmentFile } from './log-state.ts';

/** An entry that was read, with what is around it. */
export interface ReadEntry {
  readonly entry: LogEntryContent;
  /** The chain after it; undefined when reading began behind the first entry. */
  readonly chain: Uint8Array | undefined;
  /** The position behind it. */
  readonly end: number;
}

/** What reading a segment needs. */
export interface SegmentReading {
  readonly segment: Segment;
  readonly chainKey: Uint8Array;
  /** Where reading stops: the file's size, or less for the segment that is written to. */
  readonly limit: number;
  /** Entries below are passed over without being opened. */
  readonly from?: number | undefined;
}

const BLOCK_BYTES = 256 * 1_024;

/**
 * Opens the file of a segment and checks its header.
 * @throws StorageError `LOG_TRUNCATED` when it is missing or cut, `LOG_CORRUPT`, `UNSUPPORTED_FORMAT`
 */
export async function openSegmentFile(
  fs: FileSystem,
  directory: string,
  segment: Segment,
  mode: 'read' | 'update',
): Promise<OpenedFile> {
  const file = await fs.open(`${directory}/${segmentFile(segment)}`, mode).catch((error: unknown) => {
    if (isMissing(error)) throw logError('LOG_TRUNCATED', error);
    const { code } = error as { code?: unknown };
    if (code === 'ELOOP' || code === 'EINVAL' || code === 'EMLINK') throw logError('LOG_CORRUPT', error);
    throw error;
  });
  try {
    checkSegmentHeader(await readFully(file, SEGMENT_HEADER_BYTES, 0), segment.id, segment.first);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Reads entries until the limit, or until something is not as it should be: then it returns instead of throwing.
 * Whoever begins behind the first entry gets authenticated entries, but not the chain.
 */
export async function* readEntries(
  file: OpenedFile,
  reading: SegmentReading,
): AsyncGenerator<ReadEntry, void> {
  const { segment, chainKey, limit, from = segment.first } = reading;
  using key = segmentKey(segment.key);
  let chain: Uint8Array | undefined = segment.start;
  let sequence = segment.first;
  let position = SEGMENT_HEADER_BYTES;
  let block = new Uint8Array(0);
  let offset = 0;
  while (position < limit) {
    let frame = readFrame(block, offset);
    if (frame === undefined || offset + frame.length > block.length) {
      const wanted = Math.max(BLOCK_BYTES, frame?.length ?? 0);
      const rest = block.subarray(offset);
      const read = await readFully(
        file,
        Math.min(wanted, limit - position - rest.length),
        position + rest.length,
      );
      block = concatBytes(rest, read);
      offset = 0;
      frame = readFrame(block, 0);
      if (frame === undefined || frame.length > block.length) return;
    }
    if (frame.sequence !== sequence) return;
    position += frame.length;
    if (sequence < from) {
      chain = undefined;
    } else {
      const entry = decodeEntry(key, block.subarray(offset, offset + frame.length), frame);
      if (entry === undefined || (chain !== undefined && !follows(entry, chain))) return;
      if (chain !== undefined) chain = extendChain(chainKey, chain, sequence, entry.data);
      yield { entry, chain, end: position };
    }
    offset += frame.length;
    sequence++;
  }
}

/** An entry behind a damaged place. */
export interface LaterEntry {
  readonly sequence: number;
  readonly durable: number;
}

/**
 * Looks behind a damaged place for an entry that authenticates, at any offset.
 * @throws StorageError `LOG_CORRUPT` when so many frames are there, or such long ones, that somebody has made them
 */
export async function findLaterEntry(
  file: OpenedFile,
  { segment, limit }: SegmentReading,
  damage: { position: number; sequence: number },
): Promise<LaterEntry | undefined> {
  using key = segmentKey(segment.key);
  let attempts = 0;
  // What lies behind the damage is authenticated once, however many frames in it claim to be as long as all of it.
  let bytesLeft = limit - damage.position;
  // Block by block: whoever made the damage also says how much lies behind it.
  for (let start = damage.position; start < limit; start += BLOCK_BYTES) {
    const block = await readFully(file, Math.min(BLOCK_BYTES + FRAME_BYTES - 1, limit - start), start);
    for (let offset = 0; offset < Math.min(BLOCK_BYTES, block.length); offset++) {
      const position = start + offset;
      const frame = readFrame(block, offset);
      if (frame === undefined || !isPossible(frame, position, limit, damage)) continue;
      // Chance does not make so many; somebody does, to keep this busy.
      bytesLeft -= frame.length;
      if (++attempts > MAX_ATTEMPTS || bytesLeft < 0) throw logError('LOG_CORRUPT');
      const entry = await readFully(file, frame.length, position);
      const found = entry.length < frame.length ? undefined : decodeEntry(key, entry, frame);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

const MAX_ATTEMPTS = 1_000;

/** Whether a frame could be there: its number is a later one, and each entry takes more than 64 bytes. */
function isPossible(
  { sequence, length }: EntryFrame,
  position: number,
  limit: number,
  damage: { position: number; sequence: number },
): boolean {
  const most = damage.sequence + (limit - damage.position) / 64;
  return (
    position > damage.position && sequence > damage.sequence && sequence <= most && position + length <= limit
  );
}
