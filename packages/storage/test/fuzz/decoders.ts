import { chacha20poly1305, ready, xchacha20poly1305 } from '@nzcore/crypto';
import { type FuzzTarget, refuses } from '../../../../checks/fuzz-engine.ts';
import { concatBytes, joinBytes, utf8 } from '../../src/bytes.ts';
import { openAnchor } from '../../src/encrypted/freshness.ts';
import { Keyring } from '../../src/encrypted/keyring.ts';
import { decodeKeyring } from '../../src/encrypted/keyring-codec.ts';
import { createRecordCodec } from '../../src/encrypted/record.ts';
import { StorageError, type StorageErrorCode } from '../../src/errors.ts';
import { decodeCatalogEntry } from '../../src/files/file-catalog.ts';
import {
  checkFileHeader,
  chunkNonce,
  encodeFileHeader,
  FILE_HEADER_BYTES,
  openChunk,
} from '../../src/files/file-codec.ts';
import { namespaceLength } from '../../src/key-value/namespace.ts';
import {
  checkSegmentHeader,
  decodeEntry,
  EMPTY_CHAIN,
  encodeEntry,
  encodeSegmentHeader,
  encodeU64,
  readFrame,
  segmentKey,
} from '../../src/log/log-codec.ts';
import { decodeSegment } from '../../src/log/log-state.ts';

await ready();

const key = new Uint8Array(32).fill(1);
const id = new Uint8Array(16).fill(2);
const nonce = new Uint8Array(24).fill(3);

const refusesWith = (
  codes: readonly StorageErrorCode[],
  decode: (input: Uint8Array) => unknown,
): FuzzTarget['run'] => refuses(StorageError, codes, decode);

let keyringBytes = new Uint8Array(0);
const keyring = await Keyring.open(
  {
    read: async () => undefined,
    write: async (bytes) => {
      keyringBytes = new Uint8Array(bytes);
    },
  },
  { kind: 'records', key, create: true, flags: 0, hasData: async () => false },
);

/** Opens what is not what was sealed: only the whole input as it was may be believed. */
function recordTarget(isBlinded: boolean): FuzzTarget {
  const codec = createRecordCodec(keyring, { isBlinded });
  const namespace = codec.namespace(['a', 'b']);
  const physicalKey = codec.physicalKey(namespace, utf8('key'));
  const record = codec.seal(namespace, physicalKey, [utf8('key'), utf8('value')]);
  const seed = joinBytes(physicalKey, record);
  return {
    name: `record (${isBlinded ? 'blinded' : 'clear'} keys)`,
    seeds: [seed],
    run: refusesWith(['RECORD_CORRUPT', 'UNSUPPORTED_FORMAT'], (input) => {
      codec.open(input.subarray(0, physicalKey.length), input.subarray(physicalKey.length));
      assertSame(input, seed);
    }),
  };
}

function fileTarget(): FuzzTarget {
  const header = encodeFileHeader(id);
  const aead = chacha20poly1305.importKey(key);
  const seed = joinBytes(header, aead.seal(chunkNonce(0, true), utf8('content'), header));
  return {
    name: 'file of one chunk',
    seeds: [seed],
    run: refusesWith(
      ['FILE_CORRUPT', 'FILE_TRUNCATED', 'FILE_ROLLED_BACK', 'UNSUPPORTED_FORMAT'],
      (input) => {
        const found = input.subarray(0, FILE_HEADER_BYTES);
        checkFileHeader(found, id);
        openChunk(aead, found, input.subarray(FILE_HEADER_BYTES), { index: 0, isLast: true });
        assertSame(input, seed);
      },
    ),
  };
}

function entryTarget(): FuzzTarget {
  const aead = segmentKey(key);
  const content = { sequence: 5, durable: 4, previous: EMPTY_CHAIN, data: utf8('entry') };
  const seed = encodeEntry(aead, nonce, content);
  return {
    name: 'entry of a log',
    seeds: [seed],
    run: (input) => {
      const frame = readFrame(input, 0);
      if (frame === undefined || frame.length > input.length) return;
      const entry = input.subarray(0, frame.length);
      if (decodeEntry(aead, entry, frame) !== undefined) assertSame(entry, seed);
    },
  };
}

function assertSame(input: Uint8Array, seed: Uint8Array): void {
  if (Buffer.compare(input, seed) !== 0) throw new Error('a forgery was believed');
}

const stateCodes: readonly StorageErrorCode[] = ['STORE_CORRUPT', 'UNSUPPORTED_FORMAT'];
const openSegmentState = concatBytes(Uint8Array.of(1), new Uint8Array(80).fill(5));
const anchor = concatBytes(
  Uint8Array.of(1),
  nonce,
  xchacha20poly1305.seal(key, nonce, new Uint8Array(48).fill(9)),
);

export const targets: readonly FuzzTarget[] = [
  {
    name: 'keyring',
    seeds: [keyringBytes],
    run: refusesWith(['WRONG_KEY', 'STORE_CORRUPT', 'UNSUPPORTED_FORMAT'], (input) => {
      decodeKeyring(input, key, 'records');
      assertSame(input, keyringBytes);
    }),
  },
  recordTarget(false),
  recordTarget(true),
  fileTarget(),
  entryTarget(),
  {
    name: 'header of a segment',
    seeds: [encodeSegmentHeader(id, 7)],
    run: refusesWith(['LOG_TRUNCATED', 'LOG_CORRUPT', 'UNSUPPORTED_FORMAT'], (input) =>
      checkSegmentHeader(input, id, 7),
    ),
  },
  {
    name: 'state of a segment',
    seeds: [openSegmentState, concatBytes(openSegmentState, new Uint8Array(56).fill(6))],
    run: refusesWith(stateCodes, (input) => decodeSegment(encodeU64(1), input)),
  },
  {
    name: 'entry of the catalog',
    seeds: [concatBytes(Uint8Array.of(1), new Uint8Array(64).fill(4))],
    run: refusesWith(stateCodes, (input) => decodeCatalogEntry(utf8('name'), input)),
  },
  {
    name: 'anchor',
    seeds: [anchor],
    run: refusesWith(stateCodes, (input) => {
      openAnchor(input, key);
      assertSame(input, anchor);
    }),
  },
  {
    name: 'namespace of a key',
    seeds: [concatBytes(Uint8Array.of(1), utf8('a'), Uint8Array.of(2), utf8('bc'), Uint8Array.of(0))],
    run: (input) => {
      const length = namespaceLength(input);
      if (length !== undefined && length > input.length) throw new Error('longer than its key');
    },
  },
];
