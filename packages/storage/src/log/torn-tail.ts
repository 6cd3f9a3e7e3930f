import { compareBytes, toHex } from '../bytes.ts';
import { isMissing, readFully, withFile, writeAll } from '../file-system/file-access.ts';
import type { FileSystem, OpenedFile } from '../file-system/file-system.ts';
import { FRAME_BYTES, readFrame } from './log-codec.ts';
import type { LogFiles, SegmentPosition } from './log-recovery.ts';
import { type Segment, segmentFile } from './log-state.ts';

/** What was cut off because it is no valid entry, and nothing says that it had been durable. */
export interface TornTail {
  /** The sequence number that the log goes on with. */
  readonly sequence: number;
  /** How many bytes were cut. */
  readonly bytes: number;
  /**
   * `incomplete`: the beginning of an entry, as an interrupted write leaves it. `damaged`: an entry is there as a whole, or
   * something else is, and does not authenticate: a power loss, or somebody, has changed it.
   */
  readonly kind: 'incomplete' | 'damaged';
  /** The file in the log's directory that holds what was cut, if it is `damaged`; it goes with its segment. */
  readonly keptAs?: string | undefined;
}

const COPY_BYTES = 262_144;

/** Cuts a segment behind its last valid entry; bytes that may be worth something are put aside first, durably. */
export async function cutTornTail(
  files: LogFiles,
  segment: Segment,
  { file, end, size }: { file: OpenedFile; end: SegmentPosition; size: number },
): Promise<TornTail> {
  const torn = { sequence: end.sequence, bytes: size - end.position };
  const isIncomplete = await isBeginningOfEntry(file, end, size);
  const keptAs = isIncomplete
    ? undefined
    : await putAside(files, segment, { file, from: end.position, to: size, sequence: end.sequence });
  await file.truncate(end.position);
  await file.sync();
  return keptAs === undefined ? { ...torn, kind: 'incomplete' } : { ...torn, kind: 'damaged', keptAs };
}

/** The frame in front of an entry says how long it is and which one: an interrupted write ends before that. */
async function isBeginningOfEntry(file: OpenedFile, end: SegmentPosition, size: number): Promise<boolean> {
  const head = await readFully(file, Math.min(FRAME_BYTES, size - end.position), end.position);
  if (head.length < FRAME_BYTES) return true;
  const frame = readFrame(head, 0);
  return frame !== undefined && frame.sequence === end.sequence && end.position + frame.length > size;
}

interface Tail {
  readonly file: OpenedFile;
  readonly from: number;
  readonly to: number;
  readonly sequence: number;
}

/** Copies a tail into a file of its own. @returns its name */
async function putAside({ fs, directory }: LogFiles, segment: Segment, tail: Tail): Promise<string> {
  const name = await tailFile({ fs, directory }, segment, tail);
  const { file, from, to } = tail;
  const path = `${directory}/${name}`;
  await fs.remove(path).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
  await withFile(fs.open(path, 'create'), async (copy) => {
    for (let position = from; position < to; position += COPY_BYTES) {
      const bytes = await readFully(file, Math.min(COPY_BYTES, to - position), position);
      await writeAll(copy, [bytes], position - from);
    }
    await copy.sync();
  });
  await fs.syncDirectory(directory);
  return name;
}

/** The log may have been damaged behind the same entry before: a tail never takes the place of another one. */
async function tailFile(
  { fs, directory }: Pick<LogFiles, 'fs' | 'directory'>,
  segment: Segment,
  tail: Tail,
): Promise<string> {
  for (let number = 1; ; number++) {
    const suffix = number === 1 ? '' : `-${number}`;
    const name = segmentFile(segment).replace(/\.nzl$/, `-${tail.sequence}${suffix}.torn`);
    try {
      if (await withFile(fs.open(`${directory}/${name}`, 'read'), (kept) => isBeginningOf(kept, tail)))
        return name;
    } catch (error) {
      if (isMissing(error)) return name;
      throw error;
    }
  }
}

/** So an opening leaves it that ended between putting aside and cutting. */
async function isBeginningOf(kept: OpenedFile, { file, from, to }: Tail): Promise<boolean> {
  const size = await kept.size();
  if (size > to - from) return false;
  for (let position = 0; position < size; position += COPY_BYTES) {
    const length = Math.min(COPY_BYTES, size - position);
    const [there, here] = [
      await readFully(kept, length, position),
      await readFully(file, length, from + position),
    ];
    if (compareBytes(there, here) !== 0) return false;
  }
  return true;
}

/** Tails of segments that are gone: their key is forgotten, so that nobody can read them. */
export async function removeTornTails(
  fs: FileSystem,
  directory: string,
  segments: readonly Segment[],
): Promise<void> {
  const kept = new Set(segments.map(({ id }) => toHex(id)));
  for (const name of await fs.list(directory)) {
    const id = /^([0-9a-f]{32})-[0-9]+(?:-[0-9]+)?\.torn$/.exec(name)?.[1];
    if (id !== undefined && !kept.has(id)) await fs.remove(`${directory}/${name}`);
  }
}
