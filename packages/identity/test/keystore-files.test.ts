import { execFile } from 'node:child_process';
import { lutimes, mkdir, readdir, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { makeDirectory } from '../src/keystore/atomic-file.ts';
import { takeAway, withFileLock } from '../src/keystore/file-lock.ts';
import { createKeystore, openKeystore } from '../src/keystore.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const passwordHash = { algorithm: 'scrypt', logN: 14, r: 8, p: 1 } as const;

describe('in the place of a keystore', () => {
  it('a FIFO, a device or a directory is refused at once', async () => {
    const fifo = join(await temporaryDirectory(), 'keystore');
    await promisify(execFile)('mkfifo', ['-m', '600', fifo]);
    for (const path of [fifo, '/dev/zero', dirname(fifo)]) {
      await expect(openKeystore(path)).rejects.toMatchObject({ code: 'INSECURE_FILE' });
    }
  });

  it('a FIFO that comes later does not stop a change', async () => {
    const path = join(await temporaryDirectory(), 'keystore');
    using keystore = await createKeystore(path, { passphrase: 'secret', now: 1, passwordHash });
    await promisify(execFile)('sh', ['-c', `rm "${path}" && mkfifo -m 600 "${path}"`]);
    const change = keystore.profiles.create('other', { now: 2 });
    await expect(change).rejects.toMatchObject({ code: 'INSECURE_FILE' });
  });
});

describe('the directory of a keystore', () => {
  it('is made of mode 0700, and the parent of each directory that was made is synced', async () => {
    const root = await temporaryDirectory();
    const path = join(root, 'a', 'b');
    const synced: string[] = [];
    const sync = async (directory: string): Promise<void> => {
      synced.push(directory);
    };
    await makeDirectory(path, sync);
    expect(synced).toEqual([root, dirname(path)]);
    expect((await stat(join(root, 'a'))).mode & 0o777).toBe(0o700);
    await makeDirectory(path, sync);
    expect(synced.length).toBe(2);
  });
});

describe('the lock of a file', () => {
  it('that a crash has left is taken over by one at a time', async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'file');
    for (let round = 0; round < 20; round++) {
      const lock = join(directory, '.file.lock');
      await writeFile(lock, '');
      await utimes(lock, 1, 1);
      let inside = 0;
      const enter = async (): Promise<void> => {
        expect(++inside).toBe(1);
        await new Promise((resolve) => setImmediate(resolve));
        inside--;
      };
      await Promise.all(Array.from({ length: 8 }, () => withFileLock(path, enter)));
    }
    expect(await readdir(directory)).toEqual([]);
  });

  it('may be a link that leads nowhere, and is taken over like any other', async () => {
    const path = join(await temporaryDirectory(), 'keystore');
    const lock = join(path, '..', '.keystore.lock');
    await symlink('nowhere', lock);
    await lutimes(lock, 1, 1);
    expect(await withFileLock(path, async () => 'entered')).toBe('entered');
    expect(await readdir(join(path, '..'))).toEqual([]);
  });

  it('of another one is not removed by who saw a stale one in its place, or who was too slow', async () => {
    const directory = await temporaryDirectory();
    const lock = join(directory, '.file.lock');
    await writeFile(lock, '');
    const stale = await stat(lock, { bigint: true });
    await mkdir(join(directory, 'kept'));
    // The stale lock went, and a fresh one came.
    await promisify(execFile)('sh', ['-c', `mv "${lock}" "${directory}/kept/old" && touch "${lock}"`]);
    const fresh = await stat(lock, { bigint: true });
    await takeAway(lock, stale);
    expect((await stat(lock, { bigint: true })).ino).toBe(fresh.ino);
    await takeAway(lock, fresh);
    expect(await readdir(directory)).toEqual(['kept']);
    await takeAway(lock, fresh);
  });
});
