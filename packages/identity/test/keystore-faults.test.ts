import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { copyFile, link, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createKeystore,
  createPassphraseFile,
  importKeystore,
  openKeystore,
  readPassphrase,
} from '../src/keystore.ts';
import type { Call, Faults } from './faulty-fs.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const faults: Faults = vi.hoisted(() => ({ calls: [], refused: new Map(), before: new Map() }));

vi.mock('node:fs/promises', async (original) =>
  (await import('./faulty-fs.ts')).faultyFs(await original(), faults),
);

const passwordHash = { algorithm: 'scrypt', logN: 14, r: 8, p: 1 } as const;
const [first, second] = ['the first', 'the second'];
const LEFTOVER = '.keystore.0123456789abcdef.tmp';

beforeEach(() => {
  faults.calls.length = 0;
  faults.refused.clear();
  faults.before.clear();
});

async function newPath(): Promise<string> {
  return join(await temporaryDirectory(), 'keystore');
}

async function created(): Promise<string> {
  const path = await newPath();
  using _keystore = await createKeystore(path, { passphrase: first, now: 1, passwordHash });
  faults.calls.length = 0;
  return path;
}

describe('on the disk', () => {
  it('content comes before the name, and the name before the answer', async () => {
    const path = await created();
    using keystore = await openKeystore(path);
    await keystore.changePassphrase(first, second, { passwordHash });
    expect(faults.calls).toEqual(['write', 'sync', 'rename', 'syncDirectory']);
    faults.calls.length = 0;
    await createPassphraseFile(join(path, '..', 'passphrase'));
    expect(faults.calls).toEqual(['write', 'sync', 'link', 'remove', 'syncDirectory']);
  });
});

/** None of those who create a file at once takes another one's temporary file for a leftover. */
async function createOneOfMany(): Promise<void> {
  const path = await newPath();
  const made = await Promise.allSettled(Array.from({ length: 6 }, () => createPassphraseFile(path)));
  const [winner, ...more] = made.filter(({ status }) => status === 'fulfilled');
  expect(more).toEqual([]);
  for (const { reason } of made.filter((result) => result.status === 'rejected')) {
    expect(reason).toMatchObject({ code: 'KEYSTORE_EXISTS' });
  }
  const passphrase = (winner as PromiseFulfilledResult<Uint8Array>).value;
  expect(await readPassphrase([{ type: 'file', path }])).toEqual(passphrase);
  expect(await readdir(join(path, '..'))).toEqual(['keystore']);
}

describe('a new file', () => {
  it('is made by one of many, and the others are told that it is there', async () => {
    for (let round = 0; round < 10; round++) await createOneOfMany();
  });
});

describe('a file system that fails', () => {
  const cases: readonly [Call, string][] = [
    ['write', 'ENOSPC'],
    ['write', 'EIO'],
    ['sync', 'EIO'],
    ['sync', 'ENOSPC'],
    ['rename', 'EIO'],
  ];

  it.each(cases)('at %s with %s leaves the old keystore as it was, and its own error', async (call, code) => {
    const path = await created();
    const before = await readFile(path);
    using keystore = await openKeystore(path);
    await keystore.unlock(first);
    faults.refused.set(call, code);
    const change = keystore.changePassphrase(first, second, { passwordHash });
    await expect(change).rejects.toMatchObject({ code });
    await expect(keystore.profiles.create('work', { now: 2 })).rejects.toMatchObject({ code });
    expect(await readFile(path)).toEqual(before);
    expect(await readdir(join(path, '..'))).toEqual(['keystore']);
    // The same handle goes on when the disk is well again, from what lies there.
    faults.refused.clear();
    expect(keystore.profiles.list().map(({ name }) => name)).toEqual(['default']);
    await keystore.profiles.create('work', { now: 2 });
    using again = await openKeystore(path);
    await again.unlock(first);
    expect(again.profiles.list().map(({ name }) => name)).toEqual(['default', 'work']);
  });

  it.each([...cases.slice(0, 4), ['link', 'EIO'] as const])(
    'at %s with %s makes no keystore and no passphrase at all',
    async (call, code) => {
      const path = await newPath();
      faults.refused.set(call, code);
      const create = createKeystore(path, { passphrase: first, now: 1, passwordHash });
      await expect(create).rejects.toMatchObject({ code });
      await expect(createPassphraseFile(path)).rejects.toMatchObject({ code });
      expect(await readdir(join(path, '..'))).toEqual([]);
      faults.refused.clear();
      using _keystore = await createKeystore(path, { passphrase: first, now: 1, passwordHash });
    },
  );

  it.each(cases)(
    'at %s with %s is told by that error, though closing and removing fail too',
    async (call, code) => {
      const path = await created();
      const before = await readFile(path);
      using keystore = await openKeystore(path);
      faults.refused.set(call, code).set('close', 'EBADF').set('remove', 'EROFS');
      const change = keystore.changePassphrase(first, second, { passwordHash });
      await expect(change).rejects.toMatchObject({ code });
      expect(await readFile(path)).toEqual(before);
      faults.refused.clear();
      await keystore.changePassphrase(first, second, { passwordHash });
      expect(await readdir(join(path, '..'))).toEqual(['keystore']);
    },
  );

  it('when it removes the second name of a new file leaves that to the next opening: the file is there', async () => {
    const path = await newPath();
    faults.refused.set('remove', 'EIO');
    const passphrase = await createPassphraseFile(path);
    expect(await readdir(join(path, '..'))).toHaveLength(2);
    faults.refused.clear();
    expect(await readPassphrase([{ type: 'file', path }])).toEqual(passphrase);
    expect(await readdir(join(path, '..'))).toEqual(['keystore']);
  });

  it('when it syncs the directory is told, and nothing is written over what nobody can be sure of', async () => {
    const path = await created();
    using keystore = await openKeystore(path);
    await keystore.unlock(first);
    faults.refused.set('syncDirectory', 'EIO');
    const change = keystore.changePassphrase(first, second, { passwordHash });
    await expect(change).rejects.toMatchObject({ code: 'EIO' });
    faults.refused.clear();
    const next = keystore.profiles.create('work', { now: 2 });
    await expect(next).rejects.toMatchObject({ code: 'KEYSTORE_CHANGED' });
    using again = await openKeystore(path);
    await again.unlock(second);
  });

  it('in truth, by a limit of the system, is told as well', async () => {
    const path = await newPath();
    const script = `
      const { createKeystore } = await import(${JSON.stringify(fileURLToPath(new URL('../src/keystore.ts', import.meta.url)))});
      const passwordHash = { algorithm: 'scrypt', logN: 14, r: 8, p: 1 };
      await createKeystore(process.argv[1], { passphrase: 'x', now: 1, passwordHash }).catch((error) => console.log(error.code));`;
    const node = [process.execPath, '--import', 'tsx', '--conditions=@nzcore/source', '--input-type=module'];
    const limited = `trap '' XFSZ; ulimit -f 0; exec "$@" | cat`;
    const { stdout } = await promisify(execFile)('bash', [
      '-c',
      limited,
      'bash',
      ...node,
      '-e',
      script,
      path,
    ]);
    expect(stdout).toBe('EFBIG\n');
    expect(await readdir(join(path, '..'))).toEqual([]);
  }, 30_000);
});

describe('what an ended process has left beside a keystore', () => {
  // Killed between the link and the removal of the other name: both are the file of that time.
  async function withLeftover(): Promise<string> {
    const path = await created();
    await link(path, join(path, '..', LEFTOVER));
    return path;
  }

  it('is gone when it is opened', async () => {
    const path = await withLeftover();
    using _keystore = await openKeystore(path);
    expect(await readdir(join(path, '..'))).toEqual(['keystore']);
    expect((await stat(path)).nlink).toBe(1);
  });

  it('is gone when its passphrase is changed, so that nothing opens under the old one', async () => {
    const path = await created();
    using keystore = await openKeystore(path);
    await link(path, join(path, '..', LEFTOVER));
    await keystore.changePassphrase(first, second, { passwordHash });
    expect(await readdir(join(path, '..'))).toEqual(['keystore']);
  });

  it('is gone when one is created or imported in its place', async () => {
    for (const create of [
      (path: string) => createKeystore(path, { passphrase: first, now: 1, passwordHash }),
      async (path: string) => importKeystore(path, await readFile(await created()), { passphrase: first }),
    ]) {
      const path = await newPath();
      await copyFile(await created(), join(path, '..', LEFTOVER));
      using _keystore = await create(path);
      expect(await readdir(join(path, '..'))).toEqual(['keystore']);
    }
  });

  it('is gone beside a generated passphrase when that is read or made', async () => {
    const path = await newPath();
    await writeFile(join(path, '..', LEFTOVER), 'never used');
    const passphrase = await createPassphraseFile(path);
    expect(await readdir(join(path, '..'))).toEqual(['keystore']);
    await link(path, join(path, '..', LEFTOVER));
    expect(await readPassphrase([{ type: 'file', path }])).toEqual(passphrase);
    expect(await readdir(join(path, '..'))).toEqual(['keystore']);
  });

  it('is not confused with the files of others', async () => {
    const path = await withLeftover();
    const others = ['.keystore.0123456789abcdef.tmp2', '.keystore.0123.tmp', '.other.0123456789abcdef.tmp'];
    for (const name of others) await writeFile(join(path, '..', name), 'x');
    using _keystore = await openKeystore(path);
    expect(await readdir(join(path, '..'))).toEqual([...others, 'keystore'].sort());
  });

  it('is not confused with what is no file of ours, or no file at all', async () => {
    const path = await created();
    const other = join(path, '..', 'other');
    await writeFile(other, 'x');
    await mkdir(join(path, '..', LEFTOVER));
    await symlink(other, join(path, '..', LEFTOVER.replace('0123', '4567')));
    using keystore = await openKeystore(path);
    await keystore.changePassphrase(first, second, { passwordHash });
    expect(await readdir(join(path, '..'))).toHaveLength(4);
    expect(await readFile(other, 'utf8')).toBe('x');
  });

  it.each([
    ['remove', 'EROFS'],
    ['lock', 'EACCES'],
    ['lock', 'ENOSPC'],
    ['lock', 'EDQUOT'],
  ] as const)('does not stop who may only read, or finds the disk full: %s with %s', async (call, code) => {
    const path = await withLeftover();
    faults.refused.set(call, code);
    using keystore = await openKeystore(path);
    await keystore.unlock(first);
    expect(await readPassphrase([{ type: 'file', path: await passphraseWithLeftover() }])).toHaveLength(43);
  });

  async function passphraseWithLeftover(): Promise<string> {
    const path = await newPath();
    await writeFile(path, 'A'.repeat(43), { mode: 0o600 });
    await link(path, join(path, '..', LEFTOVER));
    return path;
  }
});

// As FAT, exFAT on Windows, and Android say it.
describe.each(['EPERM', 'EISDIR', 'EACCES'])('a file system without hard links, which answers %s', (code) => {
  beforeEach(() => {
    faults.refused.set('link', code);
  });

  it('takes a keystore and a passphrase, which nothing replaces', async () => {
    const path = await created();
    const before = await readFile(path);
    const again = createKeystore(path, { passphrase: second, now: 1, passwordHash });
    await expect(again).rejects.toMatchObject({ code: 'KEYSTORE_EXISTS' });
    await expect(createPassphraseFile(path)).rejects.toMatchObject({ code: 'KEYSTORE_EXISTS' });
    expect(await readFile(path)).toEqual(before);
    expect(await readdir(join(path, '..'))).toEqual(['keystore']);
    using keystore = await openKeystore(path);
    await keystore.unlock(first);
  });

  it('one at a time, of many', createOneOfMany);

  it('never removes what another process has made meanwhile', async () => {
    const path = await newPath();
    faults.before.set('rename', () => writeFileSync(path, 'of another process'));
    faults.refused.set('rename', 'ENOENT');
    await expect(createPassphraseFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readFile(path, 'utf8')).toBe('of another process');
  });

  it('goes on where an ended process has taken the name only, and leaves it free when it fails', async () => {
    const path = await newPath();
    await writeFile(path, '');
    faults.refused.set('rename', 'EIO');
    await expect(createPassphraseFile(path)).rejects.toMatchObject({ code: 'EIO' });
    expect(await readdir(join(path, '..'))).toEqual([]);
    faults.refused.delete('rename');
    await writeFile(path, '');
    using _keystore = await createKeystore(path, { passphrase: first, now: 1, passwordHash });
  });
});
