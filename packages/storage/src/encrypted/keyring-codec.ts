import { equalBytes, hkdf, randomBytes, xchacha20poly1305 } from '@nzcore/crypto';
import { compareBytes, concatBytes, utf8 } from '../bytes.ts';
import { StorageError } from '../errors.ts';
import { KEY_BYTES } from './key-source.ts';

/** What a keyring protects the keys of; a keyring of one kind does not open as another. */
export type KeyringKind = 'records' | 'files' | 'log';

/** The content of a keyring. */
export interface KeyringContent {
  readonly kind: KeyringKind;
  /** 16 random bytes; they never change. */
  readonly storeId: Uint8Array;
  /** Bits whose meaning is the kind's; they never change. */
  readonly flags: number;
  /** 32 bytes for blinded names and chains; never rotated. */
  readonly indexKey: Uint8Array;
  /** The id of the data key that new data is sealed with. */
  readonly currentId: number;
  /** Data keys by id, the current one among them. */
  readonly dataKeys: ReadonlyMap<number, Uint8Array>;
}

/*
 * spec/storage.md §3: a keyring
 *
 *    0   4  'NZKR'
 *    4   1  version 1
 *    5   1  kind: 1 records, 2 files, 3 log
 *    6  16  store id
 *   22  16  check = HKDF-SHA256(key, salt = store id, info = "NZ-STORAGE-01/check")
 *   38  24  nonce
 *   62   n  XChaCha20-Poly1305 of the body; the 62 bytes in front are its associated data
 *
 * body: flags (1), index key (32), current id (4), count (1), count x [id (4), data key (32)], ids ascending.
 */
const MAGIC = utf8('NZKR');
const VERSION = 1;
const KINDS: readonly KeyringKind[] = ['records', 'files', 'log'];
const HEADER_BYTES = 62;
const BODY_BYTES = 38;
const ENTRY_BYTES = 4 + KEY_BYTES;
const TAG_BYTES = 16;

/** How many data keys there may be at a time: one, two during a rotation, more after some that were given up. */
export const MAX_DATA_KEYS = 16;

/** Seals a keyring under a key with a fresh nonce. */
export function encodeKeyring(content: KeyringContent, key: Uint8Array): Uint8Array {
  const { storeId, kind } = content;
  const header = concatBytes(
    MAGIC,
    Uint8Array.of(VERSION, KINDS.indexOf(kind) + 1),
    storeId,
    keyCheck(key, storeId),
    randomBytes(24),
  );
  const body = encodeBody(content);
  const wrappingKey = derive(key, storeId, 'NZ-STORAGE-01/wrap', KEY_BYTES);
  const sealed = xchacha20poly1305.seal(wrappingKey, header.subarray(38), body, header);
  body.fill(0);
  wrappingKey.fill(0);
  return concatBytes(header, sealed);
}

/**
 * Opens a keyring.
 * @throws StorageError `WRONG_KEY`, `STORE_CORRUPT` or `UNSUPPORTED_FORMAT`
 */
export function decodeKeyring(bytes: Uint8Array, key: Uint8Array, kind: KeyringKind): KeyringContent {
  const minimum = HEADER_BYTES + BODY_BYTES + ENTRY_BYTES + TAG_BYTES;
  if (bytes.length < minimum || compareBytes(bytes.subarray(0, 4), MAGIC) !== 0) throw corrupt();
  if (bytes[4] !== VERSION) throw new StorageError('UNSUPPORTED_FORMAT', 'a keyring of an unknown version');
  if (bytes[5] !== KINDS.indexOf(kind) + 1) throw corrupt();
  const header = bytes.subarray(0, HEADER_BYTES);
  const storeId = bytes.slice(6, 22);
  if (!equalBytes(keyCheck(key, storeId), bytes.subarray(22, 38))) {
    throw new StorageError('WRONG_KEY', 'the key does not open this store');
  }
  const wrappingKey = derive(key, storeId, 'NZ-STORAGE-01/wrap', KEY_BYTES);
  let body: Uint8Array;
  try {
    body = xchacha20poly1305.open(wrappingKey, header.subarray(38), bytes.subarray(HEADER_BYTES), header);
  } catch (error) {
    throw corrupt(error);
  } finally {
    wrappingKey.fill(0);
  }
  return { kind, storeId, ...decodeBody(body) };
}

function encodeBody({ flags, indexKey, currentId, dataKeys }: KeyringContent): Uint8Array {
  const body = new Uint8Array(BODY_BYTES + dataKeys.size * ENTRY_BYTES);
  const view = new DataView(body.buffer);
  body[0] = flags;
  body.set(indexKey, 1);
  view.setUint32(33, currentId);
  body[37] = dataKeys.size;
  let offset = BODY_BYTES;
  for (const id of [...dataKeys.keys()].toSorted((a, b) => a - b)) {
    view.setUint32(offset, id);
    body.set(dataKeys.get(id)!, offset + 4);
    offset += ENTRY_BYTES;
  }
  return body;
}

function decodeBody(body: Uint8Array): Omit<KeyringContent, 'kind' | 'storeId'> {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const count = body[37]!;
  if (count < 1 || count > MAX_DATA_KEYS || body.length !== BODY_BYTES + count * ENTRY_BYTES) throw corrupt();
  const dataKeys = new Map<number, Uint8Array>();
  let previous = -1;
  for (let offset = BODY_BYTES; offset < body.length; offset += ENTRY_BYTES) {
    const id = view.getUint32(offset);
    if (id <= previous) throw corrupt();
    previous = id;
    dataKeys.set(id, body.slice(offset + 4, offset + ENTRY_BYTES));
  }
  const currentId = view.getUint32(33);
  if (!dataKeys.has(currentId)) throw corrupt();
  const content = { flags: body[0]!, indexKey: body.slice(1, 33), currentId, dataKeys };
  body.fill(0);
  return content;
}

// A commitment to the key: it tells a wrong key from a damaged keyring.
function keyCheck(key: Uint8Array, storeId: Uint8Array): Uint8Array {
  return derive(key, storeId, 'NZ-STORAGE-01/check', 16);
}

function derive(key: Uint8Array, salt: Uint8Array, label: string, length: number): Uint8Array {
  return hkdf('sha256', key, { salt, info: utf8(label), length });
}

function corrupt(cause?: unknown): StorageError {
  return new StorageError('STORE_CORRUPT', 'the keyring of the store is damaged', { cause });
}
