import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { giveFreeName } from '../src/file-name.ts';

type Call = 'link' | 'rename' | 'unlink';

const refused = vi.hoisted(() => new Map<Call, string>());

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  let links = 0;
  const enter = (call: Call): void => {
    const code = refused.get(call);
    if (code !== undefined) throw Object.assign(new Error(`${code}: injected, ${call}`), { code });
  };
  return {
    ...real,
    link: async (from: string, to: string) => {
      enter('link');
      if (++links > 100) throw new Error('links without end');
      await real.link(from, to);
    },
    rename: async (from: string, to: string) => {
      enter('rename');
      await real.rename(from, to);
    },
    unlink: async (path: string) => {
      enter('unlink');
      await real.unlink(path);
    },
  };
});

let directory: string;
let part: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nzcore-name-'));
  part = join(directory, '.part');
  await writeFile(part, 'content');
});

afterEach(async () => {
  refused.clear();
  await rm(directory, { recursive: true });
});

describe('a received file', () => {
  it('whose old name cannot be removed gets one name and not one after another', async () => {
    refused.set('unlink', 'EPERM');
    await expect(giveFreeName(part, directory, 'a.txt')).rejects.toMatchObject({ code: 'EPERM' });
    expect((await readdir(directory)).sort()).toEqual(['.part', 'a.txt']);
  });

  it.each(['EPERM', 'EISDIR', 'EACCES'])(
    'needs no hard links, and takes no name of another file (%s)',
    async (code) => {
      refused.set('link', code);
      await writeFile(join(directory, 'a.txt'), '');
      const path = await giveFreeName(part, directory, 'a.txt');
      expect(path).toBe(join(directory, 'a (2).txt'));
      expect(await readFile(path, 'utf8')).toBe('content');
      expect((await readdir(directory)).sort()).toEqual(['a (2).txt', 'a.txt']);
    },
  );

  it('leaves the name free when it cannot be moved there', async () => {
    refused.set('link', 'EPERM');
    refused.set('rename', 'EIO');
    await expect(giveFreeName(part, directory, 'a.txt')).rejects.toMatchObject({ code: 'EIO' });
    expect(await readdir(directory)).toEqual(['.part']);
  });
});
