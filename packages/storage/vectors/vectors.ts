import { chacha20poly1305, hkdf, hmac, ready, sha256, xchacha20poly1305 } from '@nzcore/crypto';
import { joinBytes, toHex, utf8 } from '../src/bytes.ts';
import { CHUNK_BYTES, chunkNonce, encodeFileHeader } from '../src/files/file-codec.ts';
import { encodeNamespace } from '../src/key-value/namespace.ts';
import {
  EMPTY_CHAIN,
  encodeEntry,
  encodeSegmentHeader,
  extendChain,
  segmentKey,
} from '../src/log/log-codec.ts';

// The vectors are made from the primitives and spec/storage.md, with fixed keys and nonces; the tests open them with the package.

/** Fixed bytes for a vector. */
export function fixed(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (seed + i) & 0xff);
}

const ownerKey = fixed(32, 1);
const storeId = fixed(16, 100);
const indexKey = fixed(32, 40);
const dataKey = fixed(32, 80);

/** Everything in spec/vectors/storage.json. */
export async function createVectors(): Promise<object> {
  await ready();
  return {
    namespaces: [[], ['a'], ['a', 'b'], ['ä']].map((path) => ({
      path,
      prefix: toHex(encodeNamespace(path)),
    })),
    keyring: keyringVector(),
    records: [recordVector(false), recordVector(true)],
    files: [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1].map(fileVector),
    log: logVector(),
  };
}

function derive(key: Uint8Array, info: string | Uint8Array, length = 32): Uint8Array {
  return hkdf('sha256', key, { salt: storeId, info: typeof info === 'string' ? utf8(info) : info, length });
}

function keyringVector(): object {
  const header = Uint8Array.from([
    ...utf8('NZKR'),
    1,
    1,
    ...storeId,
    ...derive(ownerKey, 'NZ-STORAGE-01/check', 16),
    ...fixed(24, 200),
  ]);
  const body = Uint8Array.from([0, ...indexKey, 0, 0, 0, 7, 1, 0, 0, 0, 7, ...dataKey]);
  const wrappingKey = derive(ownerKey, 'NZ-STORAGE-01/wrap');
  const sealed = xchacha20poly1305.seal(wrappingKey, header.subarray(38), body, header);
  return {
    ownerKey: toHex(ownerKey),
    storeId: toHex(storeId),
    indexKey: toHex(indexKey),
    currentId: 7,
    dataKey: toHex(dataKey),
    keyring: toHex(joinBytes(header, sealed)),
  };
}

function recordVector(isBlinded: boolean): object {
  const path = ['profile', 'trust'];
  const key = utf8('key');
  const value = utf8('value');
  const clear = encodeNamespace(path);
  const blindKey = derive(indexKey, 'NZ-STORAGE-01/blind');
  const blind = (purpose: string, bytes: Uint8Array) =>
    hmac('sha256', blindKey, joinBytes(utf8(`${purpose}\0`), bytes));
  const id = isBlinded ? blind('namespace', clear).subarray(0, 16) : clear;
  const physicalKey = joinBytes(id, isBlinded ? blind('key', joinBytes(id, key)) : key);
  const clearKey = joinBytes(clear, key);
  const content = isBlinded ? Uint8Array.from([0, clearKey.length, ...clearKey, ...value]) : value;
  const recordKey = derive(dataKey, joinBytes(utf8('NZ-STORAGE-01/records\0'), id));
  const nonce = fixed(24, 10);
  const sealed = xchacha20poly1305.seal(recordKey, nonce, content, physicalKey);
  const record = Uint8Array.from([1, 0, 0, 0, 7, ...nonce, ...sealed]);
  return {
    isBlinded,
    path,
    key: toHex(key),
    value: toHex(value),
    physicalKey: toHex(physicalKey),
    record: toHex(record),
  };
}

function fileVector(size: number): object {
  const key = fixed(32, 3);
  const id = fixed(16, 5);
  const header = encodeFileHeader(id);
  const plaintext = fixed(size, 0);
  const last = Math.max(0, Math.ceil(size / CHUNK_BYTES) - 1);
  let file = header;
  for (let index = 0; index <= last; index++) {
    const chunk = plaintext.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
    file = joinBytes(file, chacha20poly1305.seal(key, chunkNonce(index, index === last), chunk, header));
  }
  const content = file.length < 200 ? { file: toHex(file) } : {};
  return { key: toHex(key), id: toHex(id), size, ...content, sha256: toHex(sha256(file)) };
}

function logVector(): object {
  const key = fixed(32, 9);
  const chainKey = fixed(32, 11);
  const id = fixed(16, 13);
  const first = 5;
  using aead = segmentKey(key);
  let chain = EMPTY_CHAIN;
  let segment = encodeSegmentHeader(id, first);
  const entries = ['', 'entry', 'another entry'].map(utf8);
  for (const [i, data] of entries.entries()) {
    const sequence = first + i;
    const nonce = fixed(24, 17 * (i + 1));
    const entry = encodeEntry(aead, nonce, { sequence, durable: first, previous: chain, data });
    segment = joinBytes(segment, entry);
    chain = extendChain(chainKey, chain, sequence, data);
  }
  return {
    key: toHex(key),
    chainKey: toHex(chainKey),
    id: toHex(id),
    first,
    start: toHex(EMPTY_CHAIN),
    entries: entries.map(toHex),
    segment: toHex(segment),
    end: toHex(chain),
  };
}
