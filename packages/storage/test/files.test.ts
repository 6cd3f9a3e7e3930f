import { mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FileStore, type FileStoreOptions, openFileStore as openHere } from '../src/files.ts';
import { type KeyValueStore, openEncryptedStore } from '../src/index.ts';
import { createMemoryStore } from '../src/memory.ts';
import { asAnotherProcess } from './another-process.ts';
import { useDirectories } from './directories.ts';
import { createFaultyFileSystem, type Fault } from './faulty-file-system.ts';

const newDirectory = useDirectories();
const key = new Uint8Array(32).fill(7);
const CHUNK = 65_536;

/** Each opening is that of another process: most of them come after a crash. */
const openFileStore = (directory: string, options: FileStoreOptions): Promise<FileStore> =>
  openHere(directory, { ...options, fileSystem: asAnotherProcess(options.fileSystem) });

describe('encrypted files', () => {
  it('give back what was written, at every size around the chunk', async () => {
    const { files } = await open();
    for (const size of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7, 40 * CHUNK]) {
      const content = pattern(size);
      expect(await files.write('dir/file.bin', content)).toMatchObject({ name: 'dir/file.bin', size });
      expectSame(await files.read('dir/file.bin'), content);
    }
    expect(await files.stat('dir/file.bin')).toMatchObject({ size: 40 * CHUNK });
    expect(await files.read('other')).toBeUndefined();
    expect(await files.stat('other')).toBeUndefined();
  });

  it('take their content from any source in any pieces, and do not keep its memory', async () => {
    const { files } = await open();
    const content = pattern(5 * CHUNK + 123);
    for (const piece of [1_000, CHUNK, 3 * CHUNK + 1]) {
      const buffer = new Uint8Array(piece);
      const source = async function* () {
        for (let from = 0; from < content.length; from += piece) {
          const part = content.subarray(from, from + piece);
          buffer.set(part);
          yield buffer.subarray(0, part.length);
          buffer.fill(0);
        }
      };
      await files.write('file', source());
      expectSame(await files.read('file'), content);
    }
    const tiny = Array.from({ length: 1_000 }, (_, i) => Uint8Array.of(i));
    await files.write('tiny', tiny);
    expect(await files.read('tiny')).toEqual(Uint8Array.from({ length: 1_000 }, (_, i) => i));
  });

  it('are read at random', async () => {
    const { files } = await open();
    const content = pattern(4 * CHUNK + 99);
    await files.write('file', content);
    await using file = (await files.open('file'))!;
    const positions = fc.nat({ max: content.length + 10 });
    await fc.assert(
      fc.asyncProperty(positions, positions, async (start, length) => {
        expectSame(await file.readAt(start, length), content.slice(start, start + length));
        expectSame(
          await files.read('file', { start, end: start + length }),
          content.slice(start, start + length),
        );
      }),
      { numRuns: 40 },
    );
    await expect(file.readAt(-1, 5)).rejects.toThrow(RangeError);
  });

  it('stay as they were for who has them open, and are replaced for all others', async () => {
    const { files, directory } = await open();
    await files.write('file', pattern(CHUNK * 3));
    await using old = (await files.open('file'))!;
    await files.write('file', Uint8Array.of(1));
    expectSame(await old.readAt(0, CHUNK * 4), pattern(CHUNK * 3));
    expect(await files.read('file')).toEqual(Uint8Array.of(1));
    expect((await storedFiles(directory)).length).toBe(1);
  });

  it('are listed, counted and deleted', async () => {
    const { files, directory } = await open();
    for (const name of ['b', 'a/2', 'a/1', 'ä']) await files.write(name, pattern(10));
    const names = async (prefix?: string) => {
      const found: string[] = [];
      for await (const info of files.list({ prefix })) found.push(info.name);
      return found;
    };
    expect(await names()).toEqual(['a/1', 'a/2', 'b', 'ä']);
    expect(await names('a/')).toEqual(['a/1', 'a/2']);
    expect(await files.stats()).toEqual({ files: 4, bytes: 40 });
    await files.delete('a/1');
    await files.delete('a/1');
    expect(await names()).toEqual(['a/2', 'b', 'ä']);
    expect((await storedFiles(directory)).length).toBe(3);
  });

  it('overlap: many writers of one name and many names at once', async () => {
    const { files, directory } = await open();
    await Promise.all(Array.from({ length: 40 }, (_, i) => files.write(`file-${i % 4}`, pattern(CHUNK + i))));
    for (let i = 0; i < 4; i++) {
      const content = (await files.read(`file-${i}`))!;
      expectSame(content, pattern(content.length));
    }
    expect((await storedFiles(directory)).length).toBe(4);
    expect(await files.compact()).toEqual({ removed: 0 });
  });

  it('are still there after reopening, and show neither names nor content', async () => {
    const { files, directory, catalog } = await open();
    await files.write('secret-name', new TextEncoder().encode('secret-content'.repeat(10_000)));
    await files[Symbol.asyncDispose]();
    await expect(files.read('secret-name')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    const again = await openFileStore(directory, { catalog });
    expect((await again.read('secret-name'))?.length).toBe(140_000);
    for (const name of await readdir(directory)) {
      expect(name).not.toContain('secret');
      expect((await readFile(join(directory, name))).includes('secret')).toBe(false);
    }
  });

  it('end at their signal and leave the old content', async () => {
    const { files, directory } = await open();
    await files.write('file', pattern(10));
    const controller = new AbortController();
    const source = async function* () {
      yield pattern(CHUNK * 20);
      controller.abort(new RangeError('enough'));
      yield pattern(CHUNK * 20);
    };
    await expect(files.write('file', source(), { signal: controller.signal })).rejects.toThrow(RangeError);
    const failing = async function* () {
      yield pattern(CHUNK * 20);
      throw new SyntaxError('source');
    };
    await expect(files.write('file', failing())).rejects.toThrow(SyntaxError);
    expectSame(await files.read('file'), pattern(10));
    expect((await readdir(directory)).length).toBe(2);
    await expect(files.read('file', { signal: controller.signal })).rejects.toThrow(RangeError);
  });

  it('keep to size and quota, which deletions and replacements give back', async () => {
    const { files, directory } = await open({ maxFileBytes: 100_000, maxTotalBytes: 150_000 });
    await expect(files.write('a', pattern(100_001))).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
    await files.write('a', pattern(100_000));
    await expect(files.write('b', pattern(50_001))).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    await files.write('b', pattern(50_000));
    await files.delete('a');
    await files.write('b', pattern(100_000));
    await files.write('c', pattern(50_000));
    await expect(files.write('d', pattern(1))).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    expect((await storedFiles(directory)).length).toBe(2);
  });

  it('are encrypted anew by a rotation of their keys, while they are used', async () => {
    const { files, directory } = await open();
    for (let i = 0; i < 10; i++) await files.write(`file-${i}`, pattern(CHUNK + i));
    const before = await storedFiles(directory);
    const [report] = await Promise.all([
      files.rotateKeys(),
      files.write('file-3', pattern(5)),
      files.read('file-7'),
    ]);
    expect(report.rewritten).toBeGreaterThanOrEqual(9);
    const after = await storedFiles(directory);
    expect(after.length).toBe(10);
    expect(after.filter((name) => before.includes(name))).toEqual([]);
    expectSame(await files.read('file-3'), pattern(5));
    expectSame(await files.read('file-9'), pattern(CHUNK + 9));
    expect((await files.verify()).problems).toEqual([]);
  });

  it('are all encrypted anew but those that are damaged, which are reported with their codes', async () => {
    const { files, directory } = await open();
    const damage: [string, (path: string) => Promise<void>][] = [
      ['FILE_CORRUPT', async (path) => writeFile(path, (await readFile(path)).fill(1, 200, 201))],
      ['FILE_TRUNCATED', async (path) => truncate(path, 10)],
      ['FILE_MISSING', async (path) => rm(path)],
    ];
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const paths = new Map<string, string>();
    for (const name of names) {
      const before = await storedFiles(directory);
      await files.write(name, pattern(300));
      paths.set(
        name,
        join(directory, (await storedFiles(directory)).find((file) => !before.includes(file))!),
      );
    }
    for (const [i, [, harm]] of damage.entries()) await harm(paths.get(names[2 * i]!)!);
    const problems = damage.map(([code], i) => ({ name: names[2 * i]!, code }));
    expect(await files.rotateKeys()).toEqual({ rewritten: 4, problems });
    expect((await files.verify()).problems).toEqual(problems);
    for (const name of ['b', 'd', 'f', 'g']) expectSame(await files.read(name), pattern(300));
    for (const { name } of problems) await files.delete(name);
    expect(await files.rotateKeys()).toEqual({ rewritten: 4, problems: [] });
  });

  it('need an encrypted catalog', async () => {
    const attempt = openFileStore(await newDirectory(), { catalog: createMemoryStore() });
    await expect(attempt).rejects.toThrow(TypeError);
  });
});

describe('names of files', () => {
  it.each([
    '',
    '.',
    '..',
    '../x',
    'a/../x',
    'a/..',
    '/etc/passwd',
    '//x',
    'a//b',
    'a/',
    'C:\\x',
    'C:x',
    '\\\\host\\x',
    'a\\b',
    'a\0b',
    'a\nb',
    'CON',
    'con.txt',
    'a/NUL',
    'LPT1.log',
    'aux',
    'COM¹',
    'x.',
    'x ',
    'a*b',
    'a?b',
    'a|b',
    'a<b',
    '\ud800',
    'e\u0301',
    'x'.repeat(256),
    'ab/'.repeat(500),
  ])('%j is refused with INVALID_NAME', async (name) => {
    const { files, directory } = await open();
    await expect(files.write(name, pattern(1))).rejects.toMatchObject({ code: 'INVALID_NAME' });
    await expect(files.read(name)).rejects.toMatchObject({ code: 'INVALID_NAME' });
    await expect(files.delete(name)).rejects.toMatchObject({ code: 'INVALID_NAME' });
    expect(await readdir(directory)).toEqual(['nzcore-files']);
  });

  it('a symbolic link in the place of a file is not followed', async () => {
    const { files, directory } = await open();
    await files.write('file', pattern(10));
    const [stored] = await storedFiles(directory);
    const outside = join(await newDirectory(), 'outside');
    await rename(join(directory, stored!), outside);
    await symlink(outside, join(directory, stored!));
    await expect(files.read('file')).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
    await files.write('file', pattern(20));
    expect((await readFile(outside)).length).toBe(24 + 10 + 16);
  });

  it('a directory in the place of a file is refused', async () => {
    const { files, directory } = await open();
    await files.write('file', pattern(10));
    const [stored] = await storedFiles(directory);
    await rm(join(directory, stored!));
    await mkdir(join(directory, stored!));
    await expect(files.read('file')).rejects.toMatchObject({
      code: expect.stringMatching(/FILE_CORRUPT|IO_ERROR/),
    });
  });
});

describe('a file that was tampered with', () => {
  const prepared = async (size: number) => {
    const { files, directory } = await open();
    await files.write('file', pattern(size));
    const [stored] = await storedFiles(directory);
    const path = join(directory, stored!);
    return { files, directory, path, bytes: new Uint8Array(await readFile(path)) };
  };
  const readCode = async (files: FileStore) => {
    const code = await files.read('file').then(
      () => 'read',
      (error: { code: string }) => error.code,
    );
    const { problems } = await files.verify();
    expect(problems.map((problem) => problem.code)).toEqual(code === 'read' ? [] : [code]);
    return code;
  };

  it('is refused when any bit is flipped', async () => {
    const { files, path, bytes } = await prepared(CHUNK * 2 + 50);
    for (const at of [
      0,
      4,
      5,
      6,
      8,
      23,
      24,
      100,
      24 + CHUNK,
      24 + CHUNK + 16,
      bytes.length - 17,
      bytes.length - 1,
    ]) {
      await writeFile(path, bytes.with(at, bytes[at]! ^ 1));
      const expected =
        at >= 8 && at < 24
          ? 'FILE_ROLLED_BACK'
          : at === 4 || at === 5
            ? 'UNSUPPORTED_FORMAT'
            : 'FILE_CORRUPT';
      expect(await readCode(files)).toBe(expected);
    }
  });

  it('is refused when it is cut anywhere, and named truncated at the bounds of chunks', async () => {
    const { files, path, bytes } = await prepared(CHUNK * 3 + 50);
    const sealed = CHUNK + 16;
    for (const length of [
      0,
      23,
      24,
      30,
      40,
      24 + sealed,
      24 + 2 * sealed,
      24 + 3 * sealed,
      24 + 3 * sealed + 16,
    ]) {
      await writeFile(path, bytes.subarray(0, length));
      expect(await readCode(files)).toBe(length === 40 ? 'FILE_CORRUPT' : 'FILE_TRUNCATED');
    }
    for (const length of [100, 24 + sealed + 20, bytes.length - 1]) {
      await writeFile(path, bytes.subarray(0, length));
      expect(await readCode(files)).toMatch(/FILE_CORRUPT|FILE_TRUNCATED/);
    }
  });

  it('is refused when chunks are reordered, repeated or appended', async () => {
    const { files, path, bytes } = await prepared(CHUNK * 3);
    const sealed = CHUNK + 16;
    const chunk = (i: number) => bytes.subarray(24 + i * sealed, 24 + (i + 1) * sealed);
    const header = bytes.subarray(0, 24);
    for (const order of [
      [1, 0, 2],
      [0, 0, 2],
      [0, 2, 1],
      [0, 1, 2, 2],
      [0, 1, 1, 2],
    ]) {
      await writeFile(path, Buffer.concat([header, ...order.map(chunk)]));
      expect(await readCode(files)).toMatch(/FILE_CORRUPT|FILE_TRUNCATED/);
    }
    await writeFile(path, Buffer.concat([bytes, new Uint8Array(1)]));
    expect(await readCode(files)).toMatch(/FILE_CORRUPT|FILE_TRUNCATED/);
  });

  it('is refused when an older content, or another file, lies in its place', async () => {
    const { files, directory, bytes } = await prepared(100);
    await files.write('file', pattern(100));
    await files.write('other', pattern(100));
    for (const name of await storedFiles(directory)) await writeFile(join(directory, name), bytes);
    expect(await files.read('file').catch((error: { code: string }) => error.code)).toBe('FILE_ROLLED_BACK');
    expect((await files.verify()).problems.map(({ code }) => code)).toEqual([
      'FILE_ROLLED_BACK',
      'FILE_ROLLED_BACK',
    ]);
  });

  it('is missing when it is gone', async () => {
    const { files, path } = await prepared(100);
    await rm(path);
    expect(await readCode(files)).toBe('FILE_MISSING');
  });

  it('gives its code, or what was written, for random changes', async () => {
    const { files, path, bytes } = await prepared(CHUNK + 200);
    const change = fc.record({
      at: fc.nat({ max: bytes.length - 1 }),
      byte: fc.nat({ max: 255 }),
      cut: fc.nat({ max: bytes.length }),
    });
    await fc.assert(
      fc.asyncProperty(change, fc.boolean(), async ({ at, byte, cut }, isCut) => {
        const changed = isCut ? bytes.subarray(0, cut) : bytes.with(at, byte);
        await writeFile(path, changed);
        const isSame = Buffer.compare(changed, bytes) === 0;
        expect(await readCode(files)).toMatch(isSame ? /^read$/ : /^(FILE_|UNSUPPORTED_FORMAT)/);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a failing file system', () => {
  const faults: [string, Fault][] = [];
  for (const operation of ['open', 'write', 'sync', 'rename', 'syncDirectory'] as const) {
    for (const kind of ['ENOSPC', 'EIO'] as const)
      faults.push([`${kind} in ${operation}`, { operation, kind, at: 1 }]);
  }
  faults.push(['ENOSPC in a later write', { operation: 'write', kind: 'ENOSPC', at: 2 }]);

  it.each(faults)('%s: a clear error, the old content stays', async (_name, fault) => {
    const { files, directory, catalog } = await open();
    await files.write('file', pattern(100));
    await files[Symbol.asyncDispose]();
    const { fileSystem } = createFaultyFileSystem({
      ...fault,
      at: fault.at + (fault.operation === 'open' ? 1 : 0),
    });
    const faulty = await openFileStore(directory, { catalog, fileSystem });
    const expected = fault.kind === 'ENOSPC' ? 'NO_SPACE' : 'IO_ERROR';
    await expect(faulty.write('file', pattern(CHUNK * 40))).rejects.toMatchObject({ code: expected });
    expect(await faulty.stats()).toEqual({ files: 1, bytes: 100 });
    await faulty[Symbol.asyncDispose]();
    const again = await openFileStore(directory, { catalog });
    expectSame(await again.read('file'), pattern(100));
    await again.compact();
    expect((await readdir(directory)).length).toBe(2);
  });

  it.each(['read', 'write'] as const)('short %ss are completed', async (operation) => {
    const { fileSystem } = createFaultyFileSystem({ operation, kind: 'short', at: 1 });
    const { files } = await open({ fileSystem });
    await files.write('file', pattern(CHUNK * 20));
    expectSame(await files.read('file'), pattern(CHUNK * 20));
  });

  it('EIO while reading is IO_ERROR, not a corrupt file', async () => {
    const { files, directory, catalog } = await open();
    await files.write('file', pattern(CHUNK * 20));
    const { fileSystem } = createFaultyFileSystem({ operation: 'read', kind: 'EIO', at: 5 });
    const faulty = await openFileStore(directory, { catalog, fileSystem });
    await expect(faulty.read('file')).rejects.toMatchObject({ code: 'IO_ERROR' });
  });
});

describe('a directory of files', () => {
  it('belongs to one catalog', async () => {
    const { files, directory, catalog } = await open();
    await files.write('file', pattern(1));
    const other = await newCatalog();
    await expect(openFileStore(directory, { catalog: other })).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
    });
    const empty = await newDirectory();
    await expect(openFileStore(empty, { catalog })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await rm(join(directory, 'nzcore-files'));
    await expect(openFileStore(directory, { catalog })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await expect(openFileStore(directory, { catalog: other })).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
    });
  });

  it('opens after a crash between its marker and its catalog, and loses what crashes left', async () => {
    const directory = await newDirectory();
    await openFileStore(directory, { catalog: await newCatalog() });
    const files = await openFileStore(directory, { catalog: await newCatalog() });
    await files.write('file', pattern(5));
    await writeFile(join(directory, `${'0'.repeat(32)}.nzf`), 'left');
    await writeFile(join(directory, `${'1'.repeat(32)}.tmp`), 'left');
    await writeFile(join(directory, 'not-ours'), 'kept');
    expect(await files.compact()).toEqual({ removed: 2 });
    expect((await readdir(directory)).length).toBe(3);
    expectSame(await files.read('file'), pattern(5));
  });
});

async function newCatalog(): Promise<KeyValueStore> {
  const store = await openEncryptedStore(createMemoryStore(), { key });
  return store.namespace('files');
}

async function open(
  options: Partial<FileStoreOptions> = {},
): Promise<{ files: FileStore; directory: string; catalog: KeyValueStore }> {
  const directory = await newDirectory();
  const catalog = await newCatalog();
  return { files: await openFileStore(directory, { catalog, ...options }), directory, catalog };
}

async function storedFiles(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith('.nzf')).toSorted();
}

function pattern(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 7 + (i >> 8) + (i >> 16)) & 0xff;
  return bytes;
}

/** What toEqual would say, without looking at each byte. */
function expectSame(actual: Uint8Array | undefined, expected: Uint8Array): void {
  expect(actual?.length).toBe(expected.length);
  expect(Buffer.compare(actual!, expected)).toBe(0);
}
