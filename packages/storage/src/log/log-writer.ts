import type { AeadKey } from '@nzcore/crypto';
import { createNonces } from '../encrypted/nonces.ts';
import { StorageError } from '../errors.ts';
import { toFileError, writeAll } from '../file-system/file-access.ts';
import type { OpenedFile } from '../file-system/file-system.ts';
import { encodeEntry, extendChain, segmentKey } from './log-codec.ts';
import type { SegmentPosition } from './log-recovery.ts';
import type { Segment } from './log-state.ts';

/** Writes entries to the end of one segment; calls must not overlap. */
export interface SegmentWriter {
  /** Behind the last entry that was written. */
  readonly end: SegmentPosition;
  /** Whether a failure has left the end of the file unknown. */
  readonly hasFailed: boolean;
  /** Writes the entries, all or none of them. @returns the sequence number of the first */
  write(entries: readonly Uint8Array[]): Promise<number>;
  /** Makes durable what was written. */
  sync(): Promise<void>;
  /** Refuses everything from now on. */
  fail(): void;
  close(): Promise<void>;
}

/** What a writer begins with. */
export interface SegmentWriterOptions {
  readonly file: OpenedFile;
  readonly segment: Segment;
  readonly chainKey: Uint8Array;
  readonly end: SegmentPosition;
  /** Every entry below is durable. */
  readonly durable: number;
}

/** The writer for an open segment file. */
export function createSegmentWriter(options: SegmentWriterOptions): SegmentWriter {
  const { file, segment, chainKey } = options;
  const key: AeadKey = segmentKey(segment.key);
  const nextNonce = createNonces();
  let { end, durable } = options;
  let hasFailed = false;

  const assertUsable = (): void => {
    if (hasFailed) throw new StorageError('LOG_FAILED', 'a write to the log failed; open it again to go on');
  };

  return {
    get end() {
      return end;
    },
    get hasFailed() {
      return hasFailed;
    },
    write: async (entries) => {
      assertUsable();
      let { sequence, hash } = end;
      const sealed = entries.map((data) => {
        const entry = encodeEntry(key, nextNonce(), { sequence, durable, previous: hash, data });
        hash = extendChain(chainKey, hash, sequence, data);
        sequence++;
        return entry;
      });
      try {
        const position = await writeAll(file, sealed, end.position);
        const first = end.sequence;
        end = { sequence, hash, position };
        return first;
      } catch (error) {
        // What was written of it must not lie in front of the next entry.
        await file.truncate(end.position).catch(() => {
          hasFailed = true;
        });
        throw toFileError(error);
      }
    },
    sync: async () => {
      assertUsable();
      const { sequence } = end;
      try {
        await file.sync();
      } catch (error) {
        // The system may have dropped the pages: a later sync that succeeds would promise nothing.
        hasFailed = true;
        throw toFileError(error);
      }
      durable = sequence;
    },
    fail: () => {
      hasFailed = true;
    },
    close: async () => {
      key.dispose();
      await file.close();
    },
  };
}
