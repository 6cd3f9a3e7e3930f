import { randomBytes } from '@nzcore/crypto';
import { concatBytes, toHex, utf8 } from '../bytes.ts';
import { StorageError } from '../errors.ts';
import type { DirectoryBinding } from '../file-system/bound-directory.ts';
import type { BatchOperation, KeyValueStore } from '../key-value/key-value-store.ts';
import { decodeU64, encodeU64 } from './log-codec.ts';

/** How far a log has come: every entry below `sequence` is in `hash`. Keep it elsewhere to find out a cut log. */
export interface LogCheckpoint {
  readonly sequence: number;
  /** 32 bytes. */
  readonly hash: Uint8Array;
}

/** What is known of a segment. */
export interface Segment {
  /** The sequence number of its first entry. */
  readonly first: number;
  /** 16 random bytes. */
  readonly id: Uint8Array;
  /** 32 random bytes. */
  readonly key: Uint8Array;
  /** The chain before its first entry. */
  readonly start: Uint8Array;
  /** How it ends; undefined for the one that is written to. */
  readonly end: SegmentEnd | undefined;
}

/** The end of a segment that is complete. */
export interface SegmentEnd extends LogCheckpoint {
  /** Of the file. */
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly closedAt: number;
}

/*
 * spec/storage.md §7.3: a segment's entry; its key is the first sequence number in 8 bytes, its store is encrypted
 *
 *    0   1  version 1
 *    1  16  segment id
 *   17  32  segment key
 *   49  32  chain before the first entry
 *   81   8  end: sequence number behind the last entry        } for a
 *   89  32  end: chain                                        } segment
 *  121   8  end: bytes of the file                            } that is
 *  129   8  end: time in milliseconds                         } complete
 */
const VERSION = 1;
const OPEN_BYTES = 81;
const CLOSED_BYTES = 137;

const SEGMENTS = 'segments';
const STATE = 'state';
const DIRECTORY_ID = utf8('directory');
const CHAIN_KEY = utf8('chain-key');
const CHECKPOINT = utf8('checkpoint');

/** The part of a log that lies in an encrypted store. */
export interface LogState extends DirectoryBinding {
  readonly chainKey: Uint8Array;
  segments(): Promise<Segment[]>;
  /** Puts segments and removes others, all at once and durably. */
  update(put: readonly Segment[], removed: readonly Segment[]): Promise<void>;
  checkpoint(): Promise<LogCheckpoint | undefined>;
  /** Only of what is durable in the log. */
  setCheckpoint(checkpoint: LogCheckpoint, options: { sync: boolean }): Promise<void>;
}

/** The state in a namespace of an encrypted store. */
export async function openLogState(store: KeyValueStore): Promise<LogState> {
  if (!store.isEncrypted) throw new TypeError('the keys of a log are kept in an encrypted store only');
  const state = store.namespace(STATE);
  const segments = store.namespace(SEGMENTS);
  return {
    chainKey: await chainKeyOf(state),
    directoryId: () => state.get(DIRECTORY_ID),
    setDirectoryId: (id) => state.put(DIRECTORY_ID, id, { sync: true }),
    segments: async () => {
      const found: Segment[] = [];
      for await (const [key, value] of segments.iterate()) found.push(decodeSegment(key, value));
      return found;
    },
    update: (put, removed) =>
      segments.batch(
        [
          ...removed.map(({ first }): BatchOperation => ({ type: 'delete', key: encodeU64(first) })),
          ...put.map(
            (segment): BatchOperation => ({
              type: 'put',
              key: encodeU64(segment.first),
              value: encodeSegment(segment),
            }),
          ),
        ],
        { sync: true },
      ),
    checkpoint: async () => {
      const bytes = await state.get(CHECKPOINT);
      if (bytes === undefined) return undefined;
      if (bytes.length !== 40) throw damaged();
      return { sequence: decodeU64(bytes, 0), hash: bytes.slice(8) };
    },
    setCheckpoint: ({ sequence, hash }, { sync }) =>
      state.put(CHECKPOINT, concatBytes(encodeU64(sequence), hash), { sync }),
  };
}

/** A segment that begins here, with a fresh id and key. */
export function newSegment(first: number, start: Uint8Array): Segment {
  return { first, start, id: randomBytes(16), key: randomBytes(32), end: undefined };
}

/** Under which name the file system holds a segment. */
export function segmentFile({ id }: Segment): string {
  return `${toHex(id)}.nzl`;
}

async function chainKeyOf(state: KeyValueStore): Promise<Uint8Array> {
  const known = await state.get(CHAIN_KEY);
  if (known !== undefined) return known;
  const chainKey = randomBytes(32);
  await state.put(CHAIN_KEY, chainKey, { sync: true });
  return chainKey;
}

function encodeSegment({ id, key, start, end }: Segment): Uint8Array {
  const head = concatBytes(Uint8Array.of(VERSION), id, key, start);
  if (end === undefined) return head;
  return concatBytes(head, encodeU64(end.sequence), end.hash, encodeU64(end.bytes), encodeU64(end.closedAt));
}

/** @throws StorageError `UNSUPPORTED_FORMAT` or `STORE_CORRUPT` */
export function decodeSegment(key: Uint8Array, bytes: Uint8Array): Segment {
  if (bytes[0] !== VERSION) throw new StorageError('UNSUPPORTED_FORMAT', 'a segment of an unknown version');
  if (key.length !== 8 || (bytes.length !== OPEN_BYTES && bytes.length !== CLOSED_BYTES)) throw damaged();
  const end =
    bytes.length === OPEN_BYTES
      ? undefined
      : {
          sequence: decodeU64(bytes, 81),
          hash: bytes.slice(89, 121),
          bytes: decodeU64(bytes, 121),
          closedAt: decodeU64(bytes, 129),
        };
  return {
    first: decodeU64(key, 0),
    id: bytes.slice(1, 17),
    key: bytes.slice(17, 49),
    start: bytes.slice(49, 81),
    end,
  };
}

function damaged(): StorageError {
  return new StorageError('STORE_CORRUPT', 'the state of the log is damaged');
}
