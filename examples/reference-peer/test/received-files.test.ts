import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createReceivedFiles, type StoredFile } from '../src/received-files.ts';
import { createStreamReader } from '../src/stream-reader.ts';

type Call = 'write' | 'sync' | 'link' | 'unlink' | 'sync directory';

const { calls, refused } = vi.hoisted(() => ({ calls: [] as Call[], refused: new Map<Call, string>() }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const enter = (call: Call): void => {
    calls.push(call);
    const code = refused.get(call);
    if (code !== undefined) throw Object.assign(new Error(`${code}: injected, ${call}`), { code });
  };
  const open: typeof real.open = async (path, flags, mode) => {
    const handle = await real.open(path, flags, mode);
    const isDirectory = (await handle.stat()).isDirectory();
    const sync = handle.sync.bind(handle);
    const write = handle.writeFile.bind(handle);
    handle.sync = async () => {
      enter(isDirectory ? 'sync directory' : 'sync');
      await sync();
    };
    handle.writeFile = async (content) => {
      // A disk that fills up takes what still fits.
      if (refused.has('write')) await write((content as Uint8Array).subarray(0, 3));
      enter('write');
      await write(content);
    };
    return handle;
  };
  const link: typeof real.link = async (from, to) => {
    enter('link');
    await real.link(from, to);
  };
  const unlink: typeof real.unlink = async (path) => {
    enter('unlink');
    await real.unlink(path);
  };
  return { ...real, open, link, unlink };
});

const content = new TextEncoder().encode('content');
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nzcore-received-'));
  await writeFile(join(directory, 'a.txt'), 'of before');
  calls.length = 0;
});

afterEach(async () => {
  refused.clear();
  await rm(directory, { recursive: true });
});

function store(): Promise<StoredFile> {
  const reader = createStreamReader(
    (async function* () {
      yield content;
      yield createHash('sha256').update(content).digest();
    })(),
  );
  const files = createReceivedFiles(directory, { maxBytes: 1_000, maxTotalBytes: 10_000 });
  return files.store({ name: '../a.txt', size: content.length }, reader, () => undefined);
}

describe('a received file', () => {
  it('is on the disk before it has its name, and its name before the sender hears of it', async () => {
    const { path, name } = await store();
    // The first link finds the name taken.
    expect(calls).toEqual(['write', 'sync', 'link', 'link', 'unlink', 'sync directory']);
    expect(name).toBe('a (2).txt');
    expect(await readFile(path, 'utf8')).toBe('content');
    expect(await readFile(join(directory, 'a.txt'), 'utf8')).toBe('of before');
  });

  it.each([
    ['write', 'ENOSPC'],
    ['write', 'EIO'],
    ['sync', 'EIO'],
    ['sync', 'ENOSPC'],
    ['link', 'EIO'],
  ] as const)(
    'leaves nothing, and what was there as it was, when the disk fails: %s with %s',
    async (call, code) => {
      refused.set(call, code);
      await expect(store()).rejects.toMatchObject({ code });
      expect(await readdir(directory)).toEqual(['a.txt']);
      expect(await readFile(join(directory, 'a.txt'), 'utf8')).toBe('of before');
      refused.clear();
      expect((await store()).name).toBe('a (2).txt');
    },
  );

  it('is not acknowledged when its name may not last', async () => {
    refused.set('sync directory', 'EIO');
    await expect(store()).rejects.toMatchObject({ code: 'EIO' });
  });
});
