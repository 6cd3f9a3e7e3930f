import type { OperationOptions, WriteOptions } from '../key-value/key-value-store.ts';
import type { LogCheckpoint } from './log-state.ts';
import type { TornTail } from './torn-tail.ts';

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

/** A segment that {@link AppendLog.verify} or {@link AppendLog.rotateKeys} could not accept. */
export interface LogProblem {
  /** The sequence number of the segment's first entry. */
  readonly first: number;
  readonly code: 'LOG_CORRUPT' | 'LOG_TRUNCATED' | 'UNSUPPORTED_FORMAT';
}

/** The outcome of encrypting every complete segment anew. */
export interface LogRotationReport {
  readonly rewritten: number;
  /** Segments that are as they were, under their old keys: put a backup in their place. */
  readonly problems: readonly LogProblem[];
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
  /**
   * Encrypts every complete segment anew under a fresh key while the log is in use; repeat it after an interruption. A damaged
   * segment does not stop it, see {@link LogRotationReport.problems}.
   */
  rotateKeys(options?: OperationOptions): Promise<LogRotationReport>;
}
