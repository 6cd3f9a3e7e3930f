import type { LogRetention } from './append-log.ts';
import type { Segment } from './log-state.ts';

/** The oldest segments that are not kept; never the one that is written to. */
export function expiredSegments(
  segments: readonly Segment[],
  { retention, now, position }: { retention: LogRetention; now: number; position: number },
): Segment[] {
  const { maxSegments = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY } = retention;
  const { maxAge = Number.POSITIVE_INFINITY } = retention;
  let count = segments.length;
  let bytes = segments.reduce((sum, { end }) => sum + (end?.bytes ?? position), 0);
  const expired: Segment[] = [];
  for (const segment of segments) {
    if (segment.end === undefined) break;
    const isOld = now - segment.end.closedAt > maxAge;
    if (!isOld && count <= maxSegments && bytes <= maxBytes) break;
    expired.push(segment);
    count--;
    bytes -= segment.end.bytes;
  }
  return expired;
}
