import { StorageError } from '../errors.ts';
import { toFileError } from '../file-system/file-access.ts';
import type { OperationOptions, WriteOptions } from '../key-value/key-value-store.ts';
import type { AppendLog, LogEntry, LogProblem, LogRange, LogRotationReport, LogStats } from './append-log.ts';
import { copyEntries, createSegment } from './create-segment.ts';
import type { LogParts } from './log-parts.ts';
import { type LogCheckpoint, newSegment, type Segment, segmentFile } from './log-state.ts';
import type { SegmentWriter } from './log-writer.ts';
import { problemCodeOf, problemOf, readLogSegment, type SegmentRange } from './read-segment.ts';
import { expiredSegments } from './retention.ts';
import type { TornTail } from './torn-tail.ts';
import { takeGroup, type WaitingEntry } from './waiting-entries.ts';

/** The log over its open segments; the last one is written to. */
export function createAppendLog(parts: LogParts, segments: Segment[], writer: SegmentWriter): AppendLog {
  return new SegmentedLog(parts, segments, writer);
}

class SegmentedLog implements AppendLog {
  readonly torn: TornTail | undefined;
  readonly #parts: LogParts;
  #segments: readonly Segment[];
  #writer: SegmentWriter;
  readonly #waiting: WaitingEntry[] = [];
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
      yield* this.#read(segment, {
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
      await this.#parts.state.setCheckpoint({ sequence, hash }, { sync: true });
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
      const code = await problemOf(this.#parts, {
        segment,
        end: segmentEnd,
        expected,
        isCurrent: () => this.#segments.includes(segment),
      });
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

  async rotateKeys({ signal }: OperationOptions = {}): Promise<LogRotationReport> {
    await this.rotate({ signal });
    const old = this.#segments.filter(({ end }) => end !== undefined);
    const problems: LogProblem[] = [];
    let rewritten = 0;
    for (const segment of old) {
      this.#assertOpen(signal);
      const result = await this.#rewrite(segment).catch(problemCodeOf);
      if (typeof result === 'string') problems.push({ first: segment.first, code: result });
      else if (result) rewritten++;
    }
    return { rewritten, problems };
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
        await this.#parts.state.setCheckpoint({ sequence, hash }, { sync: true });
      } finally {
        try {
          await this.#writer.close();
        } finally {
          await this.#parts.release();
        }
      }
    });
  }

  /** Writes what waits, group by group; a group that fails fails alone. */
  async #writeWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = takeGroup(this.#waiting);
      try {
        if (this.#writer.end.position >= this.#parts.segmentBytes) await this.#rotate();
        const first = await this.#writer.write(group.map(({ data }) => data));
        if (group.some(({ sync }) => sync)) await this.#syncMarked();
        for (const [i, { resolve }] of group.entries()) resolve(first + i);
      } catch (error) {
        for (const { reject } of group) reject(toFileError(error));
      }
    }
    // In the same turn as the last look at what waits, so that nothing is left waiting.
    this.#isScheduled = false;
  }

  /** The mark that is written behind the sync, and not synced itself, tells later damage from a torn write. */
  async #syncMarked(): Promise<void> {
    await this.#writer.sync();
    const { sequence, hash } = this.#writer.end;
    await this.#parts.state.setCheckpoint({ sequence, hash }, { sync: false });
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
    const { retention, now } = this.#parts;
    const removed = expiredSegments(this.#segments, {
      retention,
      now: now(),
      position: this.#writer.end.position,
    });
    if (removed.length === 0) return 0;
    await this.#parts.state.update([], removed);
    this.#segments = this.#segments.slice(removed.length);
    for (const segment of removed) await this.#removeFile(segment);
    return removed.length;
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
      const entries = this.#read(old, { from: old.first, to: end.sequence, limit: end.bytes });
      await copyEntries(entries, writer);
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

  /** Unless retention was faster. */
  async #replace(old: Segment, replacement: Segment): Promise<boolean> {
    if (this.#closing !== undefined || !this.#segments.includes(old)) return false;
    await this.#parts.state.update([replacement], []);
    this.#segments = this.#segments.map((segment) => (segment === old ? replacement : segment));
    return true;
  }

  #read(segment: Segment, range: SegmentRange): AsyncGenerator<LogEntry, void> {
    return readLogSegment(this.#parts, { segment, segments: () => this.#segments }, range);
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
