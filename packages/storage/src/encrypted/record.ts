import { type AeadKey, CryptoError, hmac, xchacha20poly1305 } from '@nzcore/crypto';
import { concatBytes, joinBytes, utf8 } from '../bytes.ts';
import { StorageError } from '../errors.ts';
import type { Entry } from '../key-value/key-value-store.ts';
import { encodeNamespace, namespaceLength } from '../key-value/namespace.ts';
import type { Keyring } from './keyring.ts';
import { createNamespaceKeys } from './namespace-keys.ts';
import { createNonces } from './nonces.ts';

/*
 * spec/storage.md §4: a sealed record
 *
 *    0   1  version 1
 *    1   4  id of the data key
 *    5  24  nonce
 *   29   n  XChaCha20-Poly1305 of the value; the physical key is the associated data
 *
 * The key of a namespace is HKDF-SHA256(data key, salt = store id, info = "NZ-STORAGE-01/records" 0x00 namespace).
 * With blinded keys the value is preceded by the namespace and the key, and by their length in two bytes.
 */
const VERSION = 1;
const HEADER_BYTES = 29;
const TAG_BYTES = 16;

/** What sealing adds to a value whose key is not blinded. */
export const RECORD_OVERHEAD: number = HEADER_BYTES + TAG_BYTES;

// Beyond this a copy of its own costs less than the copy back.
const MAX_IN_PLACE = 4_096;

const BLIND_NAMESPACE_BYTES = 16;
const EMPTY = new Uint8Array(0);

/** A namespace as its records know it. */
export interface RecordNamespace {
  readonly path: readonly string[];
  /** In front of every physical key of the namespace. */
  readonly id: Uint8Array;
  /** Bytes of the namespace in clear, for the limit of keys. */
  readonly clearLength: number;
  /** AEAD keys by data key id; what is not there is imported anew. */
  readonly keys: Map<number, AeadKey>;
}

/** A record that was opened. */
export interface OpenedRecord {
  /** The namespace and the key, as spec/storage.md §2.1 joins them. */
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Seals record after record in the same memory: what it answers is valid until the next call of the same function. */
export interface RecordWriter {
  /** The prefix and the physical key. */
  place(namespace: RecordNamespace, key: Uint8Array): Uint8Array;
  /** The record for the place before. */
  seal(namespace: RecordNamespace, entry: Readonly<Entry>): Uint8Array;
}

/** Seals and opens the records of one store. */
export interface RecordCodec {
  readonly isBlinded: boolean;
  namespace(path: readonly string[]): RecordNamespace;
  physicalKey(namespace: RecordNamespace, key: Uint8Array): Uint8Array;
  seal(namespace: RecordNamespace, physicalKey: Uint8Array, entry: Readonly<Entry>): Uint8Array;
  /** For many records one after another; `prefix` goes in front of their physical keys. */
  writer(prefix: Uint8Array): RecordWriter;
  /** The value of a record of this namespace, perhaps in the memory of the record. @throws StorageError `RECORD_CORRUPT`, `UNSUPPORTED_FORMAT` */
  openValue(namespace: RecordNamespace, physicalKey: Uint8Array, record: Uint8Array): Uint8Array;
  /** A record of any namespace. @throws StorageError `RECORD_CORRUPT`, `UNSUPPORTED_FORMAT` */
  open(physicalKey: Uint8Array, record: Uint8Array): OpenedRecord;
  /** The same content sealed with the current data key; undefined when it is already. */
  reseal(physicalKey: Uint8Array, record: Uint8Array): Uint8Array | undefined;
  dispose(): void;
}

/** The codec for the data keys of a keyring. */
export function createRecordCodec(keyring: Keyring, { isBlinded }: { isBlinded: boolean }): RecordCodec {
  const blindKey = keyring.deriveIndexKey(utf8('NZ-STORAGE-01/blind'));
  const nextNonce = createNonces();
  const namespaces = createNamespaceKeys((namespace, id) => {
    const info = concatBytes(utf8('NZ-STORAGE-01/records\0'), namespace);
    const bytes = keyring.derive(id, info);
    const key = xchacha20poly1305.importKey(bytes);
    bytes.fill(0);
    return key;
  });

  const aeadKey = (namespace: RecordNamespace, id: number): AeadKey | undefined =>
    namespace.keys.get(id) ?? (keyring.has(id) ? namespaces.importKey(namespace, id) : undefined);

  /** @param sealed - the record behind its header, for a view costs a twentieth of sealing */
  const sealInto = (
    namespace: RecordNamespace,
    { record, sealed }: { record: Uint8Array; sealed: Uint8Array },
    physicalKey: Uint8Array,
    content: Uint8Array,
  ): void => {
    const id = keyring.currentId;
    const nonce = nextNonce();
    aeadKey(namespace, id)!.sealInto(sealed, nonce, content, physicalKey);
    record[0] = VERSION;
    record[1] = id >>> 24;
    record[2] = id >>> 16;
    record[3] = id >>> 8;
    record[4] = id;
    record.set(nonce, 5);
  };

  const sealRaw = (namespace: RecordNamespace, physicalKey: Uint8Array, content: Uint8Array): Uint8Array => {
    const target = newRecord(content.length);
    sealInto(namespace, target, physicalKey, content);
    return target.record;
  };

  const contentOf = ({ path }: RecordNamespace, [key, value]: Readonly<Entry>): Uint8Array =>
    isBlinded ? withKey(concatBytes(encodeNamespace(path), key), value) : value;

  const lastOf = ({ id }: RecordNamespace, key: Uint8Array): Uint8Array =>
    isBlinded ? blind(blindKey, 'key', joinBytes(id, key)) : key;

  const openRaw = (namespace: RecordNamespace, physicalKey: Uint8Array, record: Uint8Array): Uint8Array => {
    const key = aeadKey(namespace, dataKeyId(record));
    if (key === undefined) throw corrupt();
    try {
      return key.open(record.subarray(5, HEADER_BYTES), record.subarray(HEADER_BYTES), physicalKey);
    } catch (error) {
      if (error instanceof CryptoError && error.code === 'AUTHENTICATION_FAILED') throw corrupt(error);
      throw error;
    }
  };

  /** The content in the record's own memory, which is nobody else's: an allocation costs a third of opening it. */
  const openInPlace = (
    namespace: RecordNamespace,
    physicalKey: Uint8Array,
    record: Uint8Array,
  ): Uint8Array => {
    const key = aeadKey(namespace, dataKeyId(record));
    if (key === undefined) throw corrupt();
    const content = record.subarray(HEADER_BYTES, record.length - TAG_BYTES);
    try {
      key.openInto(content, record.subarray(5, HEADER_BYTES), record.subarray(HEADER_BYTES), physicalKey);
    } catch (error) {
      if (error instanceof CryptoError && error.code === 'AUTHENTICATION_FAILED') throw corrupt(error);
      throw error;
    }
    return content;
  };

  const namespaceOfKey = (physicalKey: Uint8Array): RecordNamespace => {
    const length = isBlinded ? BLIND_NAMESPACE_BYTES : namespaceLength(physicalKey);
    if (length === undefined || length > physicalKey.length) throw corrupt();
    const id = physicalKey.subarray(0, length);
    return { path: [], id, clearLength: 0, keys: namespaces.keysOf(id) };
  };

  return {
    isBlinded,
    namespace: (path) => {
      const clear = encodeNamespace(path);
      const id = isBlinded ? blind(blindKey, 'namespace', clear).subarray(0, BLIND_NAMESPACE_BYTES) : clear;
      return { path, id: id.slice(), clearLength: clear.length, keys: namespaces.keysOf(id) };
    },
    physicalKey: (namespace, key) => joinBytes(namespace.id, lastOf(namespace, key)),
    seal: (namespace, physicalKey, entry) => sealRaw(namespace, physicalKey, contentOf(namespace, entry)),
    writer: (prefix) => {
      let target = newRecord(0);
      let key: Uint8Array = EMPTY;
      let physicalKey: Uint8Array = EMPTY;
      return {
        place: (namespace, clear) => {
          const last = lastOf(namespace, clear);
          const length = prefix.length + namespace.id.length + last.length;
          if (key.length !== length) {
            key = new Uint8Array(length);
            key.set(prefix);
            physicalKey = key.subarray(prefix.length);
          }
          physicalKey.set(namespace.id);
          physicalKey.set(last, namespace.id.length);
          return key;
        },
        seal: (namespace, entry) => {
          const content = contentOf(namespace, entry);
          if (target.record.length !== RECORD_OVERHEAD + content.length) target = newRecord(content.length);
          sealInto(namespace, target, physicalKey, content);
          return target.record;
        },
      };
    },
    openValue: (namespace, physicalKey, record) => {
      const isSmall = record.length <= MAX_IN_PLACE;
      const content = (isSmall ? openInPlace : openRaw)(namespace, physicalKey, record);
      return isBlinded ? splitKey(content).value : content;
    },
    open: (physicalKey, record) => {
      const content = openRaw(namespaceOfKey(physicalKey), physicalKey, record);
      return isBlinded ? splitKey(content) : { key: physicalKey, value: content };
    },
    reseal: (physicalKey, record) => {
      if (dataKeyId(record) === keyring.currentId) return undefined;
      const namespace = namespaceOfKey(physicalKey);
      return sealRaw(namespace, physicalKey, openRaw(namespace, physicalKey, record));
    },
    dispose: () => {
      blindKey.fill(0);
      namespaces.dispose();
    },
  };
}

function newRecord(contentLength: number): { record: Uint8Array; sealed: Uint8Array } {
  const record = new Uint8Array(RECORD_OVERHEAD + contentLength);
  return { record, sealed: record.subarray(HEADER_BYTES) };
}

/** The key and value of a blinded record. */
function splitKey(content: Uint8Array): OpenedRecord {
  const length = content.length < 2 ? 0 : (content[0]! << 8) | content[1]!;
  if (length === 0 || content.length < 2 + length) throw corrupt();
  return { key: content.slice(2, 2 + length), value: content.slice(2 + length) };
}

function withKey(key: Uint8Array, value: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(key.length >>> 8, key.length), key, value);
}

function blind(blindKey: Uint8Array, purpose: 'namespace' | 'key', bytes: Uint8Array): Uint8Array {
  return hmac('sha256', blindKey, concatBytes(utf8(`${purpose}\0`), bytes));
}

/** The data key that a record names. @throws StorageError */
function dataKeyId(record: Uint8Array): number {
  if (record.length < RECORD_OVERHEAD) throw corrupt();
  if (record[0] !== VERSION) throw new StorageError('UNSUPPORTED_FORMAT', 'a record of an unknown version');
  return ((record[1]! << 24) | (record[2]! << 16) | (record[3]! << 8) | record[4]!) >>> 0;
}

function corrupt(cause?: unknown): StorageError {
  return new StorageError('RECORD_CORRUPT', 'a record does not authenticate in its place', { cause });
}

/** An entry whose namespace was cut off its key. */
export function withoutNamespace({ key, value }: OpenedRecord): Entry {
  return [key.subarray(namespaceLength(key) ?? 0), value];
}
