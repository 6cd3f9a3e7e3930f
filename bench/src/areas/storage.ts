import { createCipheriv, createDecipheriv, randomBytes, type ScryptOptions, scrypt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createKeystore } from '@nzcore/identity/keystore';
import { openEncryptedStore } from '@nzcore/storage';
import { openFileStore } from '@nzcore/storage/files';
import { openLevelStore } from '@nzcore/storage/level';
import { Level } from 'level';
import { type Area, type Contestant, compare, type Run } from '../area.ts';

// Records as a node has them: a hash as the key, some hundred bytes as the value.
const VALUE_BYTES = 200;
const RECORDS = 20_000;
const CHUNK_BYTES = 65_536;
const FILE_CHUNKS = 1_024;

const keys = Array.from({ length: RECORDS }, () => new Uint8Array(randomBytes(16)));
// Each record has a value of its own: one value for all would be compressed to a tenth by LevelDB, and be nobody's records.
const values = new Map<Uint8Array, Uint8Array>(
  keys.map((key) => [key, new Uint8Array(randomBytes(VALUE_BYTES))]),
);
const ownValue = (key: Uint8Array): Uint8Array => values.get(key)!;
const repeated = new Uint8Array(randomBytes(VALUE_BYTES));
const secret = new Uint8Array(32).fill(1);

/** What both stores can do, as bare as each of them offers it. */
interface Records {
  put(key: Uint8Array, value: Uint8Array): Promise<void>;
  batch(keys: readonly Uint8Array[], value: (key: Uint8Array) => Uint8Array): Promise<void>;
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  walk(): Promise<number>;
  close(): Promise<void>;
}

async function openOurs(directory: string): Promise<Records> {
  // Ciphertext does not compress.
  const base = await openLevelStore(directory, { compression: false });
  const store = await openEncryptedStore(base, { key: secret });
  return {
    put: (key, bytes) => store.put(key, bytes),
    batch: (some, value) => store.batch(some.map((key) => ({ type: 'put', key, value: value(key) }))),
    get: (key) => store.get(key),
    walk: async () => {
      let count = 0;
      for await (const [key, bytes] of store.iterate()) count += key.length + bytes.length > 0 ? 1 : 0;
      return count;
    },
    close: async () => store[Symbol.asyncDispose](),
  };
}

async function openLevel(directory: string): Promise<Records> {
  const level = new Level<Uint8Array, Uint8Array>(directory, { keyEncoding: 'view', valueEncoding: 'view' });
  await level.open();
  return {
    put: (key, bytes) => level.put(key, bytes),
    batch: (some, value) => level.batch(some.map((key) => ({ type: 'put', key, value: value(key) }))),
    get: (key) => level.get(key),
    walk: async () => {
      let count = 0;
      for await (const [key, bytes] of level.iterator()) count += key.length + bytes.length > 0 ? 1 : 0;
      return count;
    },
    close: () => level.close(),
  };
}

/** Operations a second of everything that a store does with records. */
async function measureRecords(records: Records): Promise<Record<string, number>> {
  const rate = async (count: number, work: () => Promise<unknown>): Promise<number> => {
    const started = performance.now();
    await work();
    return (count * 1_000) / (performance.now() - started);
  };
  const few = keys.slice(0, 4_000);
  const inGroups = async (
    size: number,
    some: readonly Uint8Array[],
    act: (group: Uint8Array[]) => Promise<unknown>,
  ) => {
    for (let from = 0; from < some.length; from += size) await act(some.slice(from, from + size));
  };
  return {
    'batch-repeated': await rate(RECORDS, () =>
      inGroups(1_000, keys, (group) => records.batch(group, () => repeated)),
    ),
    batch: await rate(RECORDS, () => inGroups(1_000, keys, (group) => records.batch(group, ownValue))),
    put: await rate(few.length, () => inGroups(1, few, ([key]) => records.put(key!, ownValue(key!)))),
    'put-100': await rate(RECORDS, () =>
      inGroups(100, keys, (group) => Promise.all(group.map((key) => records.put(key, ownValue(key))))),
    ),
    get: await rate(few.length, () => inGroups(1, few, ([key]) => records.get(key!))),
    'get-100': await rate(RECORDS, () =>
      inGroups(100, keys, (group) => Promise.all(group.map((key) => records.get(key)))),
    ),
    iterate: await rate(RECORDS, async () => {
      if ((await records.walk()) !== RECORDS) throw new Error('records are missing');
    }),
  };
}

function recordsOf(name: string, open: (directory: string) => Promise<Records>): Contestant {
  return {
    name,
    open: async (): Promise<Run> => {
      const directory = await mkdtemp(join(tmpdir(), 'nzcore-bench-'));
      const records = await open(join(directory, 'store'));
      return {
        measure: () => measureRecords(records),
        close: async () => {
          await records.close();
          await rm(directory, { recursive: true, force: true });
        },
      };
    },
  };
}

const megabytes = (FILE_CHUNKS * CHUNK_BYTES) / 1e6;
const chunk = new Uint8Array(randomBytes(CHUNK_BYTES));

const oursFiles: Contestant = {
  name: 'ours',
  open: async () => {
    const directory = await mkdtemp(join(tmpdir(), 'nzcore-bench-'));
    const store = await openEncryptedStore(await openLevelStore(join(directory, 'store')), { key: secret });
    const files = await openFileStore(join(directory, 'files'), { catalog: store.namespace('files') });
    const content = function* () {
      for (let i = 0; i < FILE_CHUNKS; i++) yield chunk;
    };
    return {
      measure: async () => {
        let started = performance.now();
        await files.write('file', content(), { sync: false });
        const write = (megabytes * 1_000) / (performance.now() - started);
        started = performance.now();
        await using file = (await files.open('file'))!;
        let length = 0;
        for await (const part of file.read()) length += part.length;
        if (length !== FILE_CHUNKS * CHUNK_BYTES) throw new Error('bytes are missing');
        return { 'file-write': write, 'file-read': (megabytes * 1_000) / (performance.now() - started) };
      },
      close: async () => {
        await files[Symbol.asyncDispose]();
        await store[Symbol.asyncDispose]();
        await rm(directory, { recursive: true, force: true });
      },
    };
  },
};

/** The same cipher on the same chunks, from memory to memory. */
const bareCipher: Contestant = {
  name: 'cipher',
  open: () => {
    const options = { authTagLength: 16 };
    const nonce = new Uint8Array(12);
    const seal = (): [Uint8Array, Uint8Array] => {
      const cipher = createCipheriv('chacha20-poly1305', secret, nonce, options);
      const sealed = cipher.update(chunk);
      cipher.final();
      return [sealed, cipher.getAuthTag()];
    };
    const [sealed, tag] = seal();
    const open = (): void => {
      const decipher = createDecipheriv('chacha20-poly1305', secret, nonce, options);
      decipher.setAuthTag(tag);
      decipher.update(sealed);
      decipher.final();
    };
    const rate = (work: () => unknown): number => {
      const started = performance.now();
      for (let i = 0; i < FILE_CHUNKS; i++) work();
      return (megabytes * 1_000) / (performance.now() - started);
    };
    return { measure: () => ({ 'file-write': rate(seal), 'file-read': rate(open) }) };
  },
};

const passphrase = 'correct horse battery staple';

const oursKeystore: Contestant = {
  name: 'ours',
  open: async () => {
    const directory = await mkdtemp(join(tmpdir(), 'nzcore-bench-'));
    const keystore = await createKeystore(join(directory, 'keystore'), { passphrase, now: Date.now() });
    return {
      measure: async () => {
        keystore.lock();
        const started = performance.now();
        await keystore.unlock(passphrase);
        return performance.now() - started;
      },
      close: async () => {
        keystore.lock();
        await rm(directory, { recursive: true, force: true });
      },
    };
  },
};

/** The password hash alone, with the parameters of a keystore that nobody chose others for. */
const bareScrypt: Contestant = {
  name: 'scrypt',
  open: () => {
    const salt = randomBytes(16);
    const options = { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 };
    return {
      measure: async () => {
        const started = performance.now();
        await promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt)(passphrase, salt, 32, options);
        return performance.now() - started;
      },
    };
  },
};

/** Encrypted records beside bare LevelDB, encrypted files beside the bare cipher, a keystore beside its password hash. */
export const area: Area = {
  name: 'storage',
  trials: [
    {
      metrics: ['put', 'put-100', 'batch', 'batch-repeated', 'get', 'get-100', 'iterate'].map((name) => ({
        name,
        unit: '1/s',
        better: 'higher' as const,
      })),
      contestants: [recordsOf('ours', openOurs), recordsOf('level', openLevel)],
    },
    {
      metrics: ['file-write', 'file-read'].map((name) => ({ name, unit: 'MB/s', better: 'higher' as const })),
      contestants: [oursFiles, bareCipher],
    },
    compare({ name: 'keystore-unlock', unit: 'ms', better: 'lower' }, [oursKeystore, bareScrypt]),
  ],
};
