import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from '@nzcore/crypto';
import { describe, expect, it } from 'vitest';
import { Keyring } from '../src/encrypted/keyring.ts';
import { decodeKeyring } from '../src/encrypted/keyring-codec.ts';
import { createRecordCodec } from '../src/encrypted/record.ts';
import { openEncrypted } from '../src/files/file-reader.ts';
import { nodeFileSystem } from '../src/files.ts';
import { encodeNamespace } from '../src/key-value/namespace.ts';
import { openSegmentFile, readEntries } from '../src/log/log-segment.ts';
import { createVectors, fixed } from '../vectors/vectors.ts';
import { useDirectories } from './directories.ts';

interface Vectors {
  namespaces: { path: string[]; prefix: string }[];
  keyring: {
    ownerKey: string;
    storeId: string;
    indexKey: string;
    currentId: number;
    dataKey: string;
    keyring: string;
  };
  records: {
    isBlinded: boolean;
    path: string[];
    key: string;
    value: string;
    physicalKey: string;
    record: string;
  }[];
  files: { key: string; id: string; size: number; file?: string; sha256: string }[];
  log: {
    key: string;
    chainKey: string;
    id: string;
    first: number;
    start: string;
    entries: string[];
    segment: string;
    end: string;
  };
}

const newDirectory = useDirectories();
const path = fileURLToPath(new URL('../../../spec/vectors/storage.json', import.meta.url));
const vectors = JSON.parse(await readFile(path, 'utf8')) as Vectors;

describe('spec/vectors/storage.json', () => {
  it('is what the generator makes', async () => {
    expect(vectors).toEqual(JSON.parse(JSON.stringify(await createVectors())));
  });

  it('namespaces (spec/storage.md §2.1)', () => {
    for (const { path: names, prefix } of vectors.namespaces)
      expect(toHex(encodeNamespace(names))).toBe(prefix);
  });

  it('keyring (§3)', () => {
    const { ownerKey, storeId, indexKey, currentId, dataKey, keyring } = vectors.keyring;
    const content = decodeKeyring(fromHex(keyring), fromHex(ownerKey), 'records');
    expect(toHex(content.storeId)).toBe(storeId);
    expect(toHex(content.indexKey)).toBe(indexKey);
    expect(content.currentId).toBe(currentId);
    expect(toHex(content.dataKeys.get(currentId)!)).toBe(dataKey);
  });

  it('records, with clear and with blinded keys (§4)', async () => {
    const { ownerKey, keyring } = vectors.keyring;
    const slot = { read: async () => fromHex(keyring), write: async () => {} };
    const options = { kind: 'records', key: fromHex(ownerKey), create: false, flags: 0 } as const;
    const opened = await Keyring.open(slot, { ...options, hasData: async () => true });
    for (const { isBlinded, path: names, key, value, physicalKey, record } of vectors.records) {
      const codec = createRecordCodec(opened, { isBlinded });
      const namespace = codec.namespace(names);
      expect(toHex(codec.physicalKey(namespace, fromHex(key)))).toBe(physicalKey);
      expect(toHex(codec.openValue(namespace, fromHex(physicalKey), fromHex(record)))).toBe(value);
      const { key: clear } = codec.open(fromHex(physicalKey), fromHex(record));
      expect(toHex(clear)).toBe(toHex(encodeNamespace(names)) + key);
    }
  });

  it('files (§6.1)', async () => {
    const directory = await newDirectory();
    for (const { key, id, size, file, sha256: digest } of vectors.files) {
      if (file === undefined) continue;
      expect(toHex(sha256(fromHex(file)))).toBe(digest);
      await writeFile(join(directory, 'file'), fromHex(file));
      const place = join(directory, 'file');
      await using opened = await openEncrypted(nodeFileSystem, place, { key: fromHex(key), id: fromHex(id) });
      expect(await opened.readAt(0, size + 1)).toEqual(fixed(size, 0));
    }
  });

  it('log (§7)', async () => {
    const directory = await newDirectory();
    const { key, chainKey, id, first, start, entries, segment, end } = vectors.log;
    await writeFile(join(directory, `${id}.nzl`), fromHex(segment));
    const known = { first, id: fromHex(id), key: fromHex(key), start: fromHex(start), end: undefined };
    const file = await openSegmentFile(nodeFileSystem, directory, known, 'read');
    const limit = await file.size();
    const found: string[] = [];
    let chain = '';
    const reading = { segment: known, chainKey: fromHex(chainKey), limit };
    for await (const read of readEntries(file, reading)) {
      found.push(toHex(read.entry.data));
      chain = toHex(read.chain!);
    }
    await file.close();
    expect(found).toEqual(entries);
    expect(chain).toBe(end);
  });
});

function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
