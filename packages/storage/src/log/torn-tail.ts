import { toHex } from '../bytes.ts';
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
  const keptAs = isIncomplete ? undefined : tailFile(segment, end.sequence);
  if (keptAs !== undefined) await putAside(files, keptAs, { file, from: end.position, to: size });
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

async function putAside(
  { fs, directory }: LogFiles,
  name: string,
  { file, from, to }: { file: OpenedFile; from: number; to: number },
): Promise<void> {
  const path = `${directory}/${name}`;
  // Of an opening that ended between putting aside and cutting.
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
}

/** Tails of segments that are gone: their key is forgotten, so that nobody can read them. */
export async function removeTornTails(
  fs: FileSystem,
  directory: string,
  segments: readonly Segment[],
): Promise<void> {
  const kept = new Set(segments.map(({ id }) => toHex(id)));
  for (const name of await fs.list(directory)) {
    const id = /^([0-9a-f]{32})-[0-9]+\.torn$/.exec(name)?.[1];
    if (id !== undefined && !kept.has(id)) await fs.remove(`${directory}/${name}`);
  }
}

function tailFile(segment: Segment, sequence: number): string {
  return segmentFile(segment).replace(/\.nzl$/, `-${sequence}.torn`);
}
