import { StorageError } from '../errors.ts';
import { toFileError, writeAll } from '../file-system/file-access.ts';
import type { OperationOptions, WriteOptions } from '../key-value/key-value-store.ts';
import { encodeSegmentHeader, logError, SEGMENT_HEADER_BYTES } from './log-codec.ts';
import { checkSegment, type LogFiles, type TornTail } from './log-recovery.ts';
import { openSegmentFile, readEntries, type SegmentReading } from './log-segment.ts';
import {
  type LogCheckpoint,
  type LogState,
  newSegment,
  type Segment,
  type SegmentEnd,
  segmentFile,
} from './log-state.ts';
import { createSegmentWriter, type SegmentWriter } from './log-writer.ts';

/** An entry of a log. */
export interface LogEntry {
  /** Counts from 0 without a gap. */
  readonly sequence: number;
  /** In fresh memory. */
  readonly data: Uint8Array;
}

/** Which entries: from `from` up to, not including, `to`. */
export interface LogRange extends OperationOptions {
  /** @defaultValue the first entry that is kept */
  readonly from?: number | undefined;
  /** @defaultValue the end when the reading began */
  readonly to?: number | undefined;
}

/** How much of a log is kept: whole segments, the oldest are removed first, the one that is written to never. */
export interface LogRetention {
  readonly maxSegments?: number | undefined;
  /** Of all segment files. */
  readonly maxBytes?: number | undefined;
  /** Since a segment was completed, in milliseconds. */
  readonly maxAge?: number | undefined;
}

/** What a log holds. */
export interface LogStats {
  readonly entries: number;
  /** The sequence number of the first entry that is kept. */
  readonly first: number;
  /** The sequence number that the next entry will have. */
  readonly next: number;
  readonly segments: number;
  /** Of all segment files. */
  readonly bytes: number;
}

/** A segment that {@link AppendLog.verify} could not accept. */
export interface LogProblem {
  /** The sequence number of the segment's first entry. */
  readonly first: number;
  readonly code: 'LOG_CORRUPT' | 'LOG_TRUNCATED' | 'UNSUPPORTED_FORMAT';
}

/** An append-only, encrypted, hash-chained log in segments. */
export interface AppendLog extends AsyncDisposable {
  /** What was cut when the log was opened. */
  readonly torn: TornTail | undefined;
  /**
   * Adds an entry. @returns its sequence number
   * @throws StorageError `ENTRY_TOO_LARGE`, `NO_SPACE`, `IO_ERROR`; `LOG_FAILED` after a failed sync, until the log
   *   is opened again
   */
  append(data: Uint8Array, options?: WriteOptions): Promise<number>;
  /** Reads entries in their order. @throws StorageError `LOG_CORRUPT`, `LOG_TRUNCATED` */
  read(range?: LogRange): AsyncIterable<LogEntry>;
  /** Makes durable everything that was appended, and tells how far the log has come. */
  checkpoint(options?: OperationOptions): Promise<LogCheckpoint>;
  /** Completes the segment and begins another one; then retention is applied. */
  rotate(options?: OperationOptions): Promise<void>;
  /** Removes what retention does not keep. @returns how many segments were removed */
  prune(options?: OperationOptions): Promise<{ removed: number }>;
  /** Reads every entry of every segment. */
  verify(options?: OperationOptions): Promise<{ entries: number; problems: readonly LogProblem[] }>;
  stats(): Promise<LogStats>;
  /** Encrypts every complete segment anew under a fresh key while the log is in use. */
  rotateKeys(options?: OperationOptions): Promise<{ rewritten: number }>;
}

/** What a log works with once it is open. */
export interface LogParts extends LogFiles {
  readonly state: LogState;
  readonly segmentBytes: number;
  readonly maxEntryBytes: number;
  readonly retention: LogRetention;
  readonly now: () => number;
  readonly torn: TornTail | undefined;
  /** Called when the log is closed. */
  readonly release: () => void;
}

interface Waiting {
  readonly data: Uint8Array;
  readonly sync: boolean;
  readonly resolve: (sequence: number) => void;
  readonly reject: (error: unknown) => void;
}

// What a copy of a segment holds in memory at a time.
const COPY_BYTES = 262_144;

// One write for what came together; more would only hold memory.
const MAX_GROUP_BYTES = 1_048_576;

/** The log over its open segments; the last one is written to. */
export function createAppendLog(parts: LogParts, segments: Segment[], writer: SegmentWriter): AppendLog {
  return new SegmentedLog(parts, segments, writer);
}

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

class SegmentedLog implements AppendLog {
  readonly torn: TornTail | undefined;
  readonly #parts: LogParts;
  #segments: readonly Segment[];
  #writer: SegmentWriter;
  readonly #waiting: Waiting[] = [];
  /** Whether a write of what waits is going to happen. */
  #isScheduled = false;
  /** Changes of the list of segments happen one after the other, and not during a write. */
  #changing: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(parts: LogParts, segments: readonly Segment[], writer: SegmentWriter) {
    this.#parts = parts;
    this.#segments = segments;
    this.#writer = writer;
    this.torn = parts.torn;
  }

  async append(data: Uint8Array, { sync = false, signal }: WriteOptions = {}): Promise<number> {
    this.#assertOpen(signal);
    if (!(data instanceof Uint8Array)) throw new TypeError('an entry must be a Uint8Array');
    const { maxEntryBytes } = this.#parts;
    if (data.length > maxEntryBytes) {
      throw new StorageError('ENTRY_TOO_LARGE', `an entry may have ${maxEntryBytes} bytes`);
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ data, sync, resolve, reject });
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      void this.#exclusively(() => this.#writeWaiting());
    });
  }

  async *read({ from, to, signal }: LogRange = {}): AsyncGenerator<LogEntry, void> {
    this.#assertOpen(signal);
    for (const bound of [from, to]) {
      if (bound !== undefined && (!Number.isSafeInteger(bound) || bound < 0)) {
        throw new RangeError('a bound must be a non-negative integer');
      }
    }
    const end = this.#writer.end;
    const segments = this.#segments;
    const stop = Math.min(to ?? end.sequence, end.sequence);
    for (const [i, segment] of segments.entries()) {
      const segmentEnd = segments[i + 1]?.first ?? end.sequence;
      if (segmentEnd <= (from ?? 0) || segment.first >= stop) continue;
      const limit = segment.end?.bytes ?? end.position;
      yield* this.#readSegment(segment, {
        from: Math.max(from ?? 0, segment.first),
        to: stop,
        limit,
        signal,
      });
    }
  }

  checkpoint({ signal }: OperationOptions = {}): Promise<LogCheckpoint> {
    this.#assertOpen(signal);
    return this.#settled(async () => {
      await this.#writer.sync();
      const { sequence, hash } = this.#writer.end;
      await this.#parts.state.setCheckpoint({ sequence, hash });
      return { sequence, hash: hash.slice() };
    });
  }

  rotate({ signal }: OperationOptions = {}): Promise<void> {
    this.#assertOpen(signal);
    return this.#settled(() => this.#rotate());
  }

  prune({ signal }: OperationOptions = {}): Promise<{ removed: number }> {
    this.#assertOpen(signal);
    return this.#settled(async () => ({ removed: await this.#prune() }));
  }

  async verify({ signal }: OperationOptions = {}): Promise<{ entries: number; problems: LogProblem[] }> {
    this.#assertOpen(signal);
    const end = this.#writer.end;
    const problems: LogProblem[] = [];
    let entries = 0;
    let expected: LogCheckpoint | undefined;
    for (const segment of this.#segments) {
      signal?.throwIfAborted();
      const segmentEnd = segment.end ?? { ...end, bytes: end.position, closedAt: 0 };
      entries += segmentEnd.sequence - segment.first;
      const code = await this.#problemOf(segment, segmentEnd, expected);
      if (code !== undefined) problems.push({ first: segment.first, code });
      expected = segmentEnd;
    }
    return { entries, problems };
  }

  async stats(): Promise<LogStats> {
    this.#assertOpen();
    const { sequence, position } = this.#writer.end;
    const first = this.#segments[0]!.first;
    const bytes = this.#segments.reduce((sum, { end }) => sum + (end?.bytes ?? position), 0);
    return { entries: sequence - first, first, next: sequence, segments: this.#segments.length, bytes };
  }

  async rotateKeys({ signal }: OperationOptions = {}): Promise<{ rewritten: number }> {
    await this.rotate({ signal });
    const old = this.#segments.filter(({ end }) => end !== undefined);
    let rewritten = 0;
    for (const segment of old) {
      signal?.throwIfAborted();
      this.#assertOpen();
      if (await this.#rewrite(segment)) rewritten++;
    }
    return { rewritten };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    await this.#exclusively(async () => {
      await this.#writeWaiting();
      try {
        if (this.#writer.hasFailed) return;
        await this.#writer.sync();
        const { sequence, hash } = this.#writer.end;
        await this.#parts.state.setCheckpoint({ sequence, hash });
      } finally {
        await this.#writer.close().finally(() => this.#parts.release());
      }
    });
  }

  /** Writes what waits, group by group; a group that fails fails alone. */
  async #writeWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#nextGroup();
      try {
        if (this.#writer.end.position >= this.#parts.segmentBytes) await this.#rotate();
        const first = await this.#writer.write(group.map(({ data }) => data));
        if (group.some(({ sync }) => sync)) await this.#writer.sync();
        for (const [i, { resolve }] of group.entries()) resolve(first + i);
      } catch (error) {
        for (const { reject } of group) reject(toFileError(error));
      }
    }
    // In the same turn as the last look at what waits, so that nothing is left waiting.
    this.#isScheduled = false;
  }

  #nextGroup(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { data } of this.#waiting) {
      bytes += data.length;
      if (count > 0 && bytes > MAX_GROUP_BYTES) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #rotate(): Promise<void> {
    const { state, now } = this.#parts;
    const writer = this.#writer;
    const current = this.#segments.at(-1)!;
    if (writer.end.sequence === current.first) return;
    await writer.sync();
    const { sequence, hash, position } = writer.end;
    const completed: Segment = { ...current, end: { sequence, hash, bytes: position, closedAt: now() } };
    const next = newSegment(sequence, hash);
    const nextWriter = await createSegment(this.#parts, next);
    try {
      await state.update([completed, next], []);
    } catch (error) {
      // Nobody knows which segment the store has now, so that neither may be written to.
      writer.fail();
      await nextWriter.close();
      throw error;
    }
    this.#segments = [...this.#segments.slice(0, -1), completed, next];
    this.#writer = nextWriter;
    await writer.close();
    await this.#prune();
  }

  async #prune(): Promise<number> {
    const removed = this.#expired();
    if (removed.length === 0) return 0;
    await this.#parts.state.update([], removed);
    this.#segments = this.#segments.slice(removed.length);
    for (const segment of removed) await this.#removeFile(segment);
    return removed.length;
  }

  #expired(): Segment[] {
    const { retention, now } = this.#parts;
    const { maxSegments = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY } = retention;
    const { maxAge = Number.POSITIVE_INFINITY } = retention;
    let count = this.#segments.length;
    let bytes = this.#segments.reduce((sum, { end }) => sum + (end?.bytes ?? this.#writer.end.position), 0);
    const expired: Segment[] = [];
    for (const segment of this.#segments) {
      if (segment.end === undefined) break;
      const isOld = now() - segment.end.closedAt > maxAge;
      if (!isOld && count <= maxSegments && bytes <= maxBytes) break;
      expired.push(segment);
      count--;
      bytes -= segment.end.bytes;
    }
    return expired;
  }

  /** The same entries in a new file under a fresh key; appends wait for the exchange only. */
  async #rewrite(old: Segment): Promise<boolean> {
    const { end } = old;
    if (end === undefined || !this.#segments.includes(old)) return false;
    const fresh = newSegment(old.first, old.start);
    const writer = await createSegment(this.#parts, fresh);
    // While the store is told, nobody knows which of the two it will name: then both stay.
    let leftover: Segment | undefined = fresh;
    try {
      await this.#copyEntries(old, end, writer);
      const replacement: Segment = { ...fresh, end: { ...end, bytes: writer.end.position } };
      leftover = undefined;
      const isReplaced = await this.#settled(() => this.#replace(old, replacement));
      leftover = isReplaced ? old : fresh;
      return isReplaced;
    } finally {
      await writer.close();
      if (leftover !== undefined) await this.#removeFile(leftover);
    }
  }

  async #copyEntries(from: Segment, end: SegmentEnd, writer: SegmentWriter): Promise<void> {
    let group: Uint8Array[] = [];
    let bytes = 0;
    for await (const { data } of this.#readSegment(from, {
      from: from.first,
      to: end.sequence,
      limit: end.bytes,
    })) {
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

  /** Unless retention was faster. */
  async #replace(old: Segment, replacement: Segment): Promise<boolean> {
    if (this.#closing !== undefined || !this.#segments.includes(old)) return false;
    await this.#parts.state.update([replacement], []);
    this.#segments = this.#segments.map((segment) => (segment === old ? replacement : segment));
    return true;
  }

  async *#readSegment(
    segment: Segment,
    {
      from,
      to,
      limit,
      signal,
    }: { from: number; to: number; limit: number; signal?: AbortSignal | undefined },
  ): AsyncGenerator<LogEntry, void> {
    const opened = await this.#openForReading(segment, from);
    if (opened === undefined) return;
    const { file, current } = opened;
    try {
      const reading: SegmentReading = {
        ...this.#parts,
        segment: current,
        from,
        limit: current.end?.bytes ?? limit,
      };
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
  async #openForReading(
    segment: Segment,
    from: number,
  ): Promise<{ file: Awaited<ReturnType<typeof openSegmentFile>>; current: Segment } | undefined> {
    const { fs, directory } = this.#parts;
    for (;;) {
      const current = this.#segments.find(({ first }) => first === segment.first);
      if (current === undefined) {
        if (from < this.#segments[0]!.first) return undefined;
        throw logError('LOG_TRUNCATED');
      }
      try {
        return { file: await openSegmentFile(fs, directory, current, 'read'), current };
      } catch (error) {
        if (this.#segments.includes(current)) throw toFileError(error);
      }
    }
  }

  async #problemOf(
    segment: Segment,
    end: SegmentEnd,
    expected: LogCheckpoint | undefined,
  ): Promise<LogProblem['code'] | undefined> {
    try {
      if (expected !== undefined && expected.sequence !== segment.first) throw logError('LOG_TRUNCATED');
      await checkSegment(this.#parts, segment, end, expected === undefined ? [] : [expected]);
      return undefined;
    } catch (error) {
      // Retention, or a rotation of keys, was faster.
      if (!this.#segments.includes(segment) && segment.end !== undefined) return undefined;
      if (!(error instanceof StorageError)) throw toFileError(error);
      if (error.code === 'LOG_ROLLED_BACK') return 'LOG_CORRUPT';
      if (error.code === 'LOG_CORRUPT' || error.code === 'LOG_TRUNCATED') return error.code;
      if (error.code === 'UNSUPPORTED_FORMAT') return error.code;
      throw error;
    }
  }

  /** What is not removed now is removed at the next opening. */
  async #removeFile(segment: Segment): Promise<void> {
    const { fs, directory } = this.#parts;
    await fs.remove(`${directory}/${segmentFile(segment)}`).catch(() => {});
  }

  #settled<T>(action: () => Promise<T>): Promise<T> {
    return this.#exclusively(async () => {
      try {
        await this.#writeWaiting();
        return await action();
      } catch (error) {
        throw toFileError(error);
      }
    });
  }

  #exclusively<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#changing.then(action, action);
    this.#changing = result.catch(() => {});
    return result;
  }

  #assertOpen(signal?: AbortSignal): void {
    if (this.#closing !== undefined) throw new StorageError('STORE_CLOSED', 'the log is closed');
    signal?.throwIfAborted();
  }
}
