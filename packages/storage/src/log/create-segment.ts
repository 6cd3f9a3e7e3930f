import { writeAll } from '../file-system/file-access.ts';
import type { LogEntry } from './append-log.ts';
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES } from './log-codec.ts';
import type { LogFiles } from './log-recovery.ts';
import { type Segment, segmentFile } from './log-state.ts';
import { createSegmentWriter, type SegmentWriter } from './log-writer.ts';

// What a copy of a segment holds in memory at a time.
const COPY_BYTES = 262_144;

/** Makes the file of a new segment, durably, and opens its writer. */
export async function createSegment(
  { fs, directory, chainKey }: LogFiles,
  segment: Segment,
): Promise<SegmentWriter> {
  const file = await fs.open(`${directory}/${segmentFile(segment)}`, 'create');
  try {
    await writeAll(file, [encodeSegmentHeader(segment.id, segment.first)], 0);
    await file.sync();
    await fs.syncDirectory(directory);
  } catch (error) {
    await file.close();
    await fs.remove(`${directory}/${segmentFile(segment)}`).catch(() => {});
    throw error;
  }
  const end = { sequence: segment.first, hash: segment.start, position: SEGMENT_HEADER_BYTES };
  return createSegmentWriter({ file, segment, chainKey, end, durable: segment.first });
}

/** Writes entries behind each other into a new segment, durably. */
export async function copyEntries(entries: AsyncIterable<LogEntry>, writer: SegmentWriter): Promise<void> {
  let group: Uint8Array[] = [];
  let bytes = 0;
  for await (const { data } of entries) {
    group.push(data);
    bytes += data.length;
    if (bytes < COPY_BYTES) continue;
    await writer.write(group);
    group = [];
    bytes = 0;
  }
  if (group.length > 0) await writer.write(group);
  await writer.sync();
}
