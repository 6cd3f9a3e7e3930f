import { stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeDirectory } from '../src/file-system/make-directory.ts';
import { useDirectories } from './directories.ts';

const newDirectory = useDirectories();

describe('making a directory', () => {
  it('syncs the parent of each one that was made, from the first one down', async () => {
    const root = await newDirectory();
    const path = join(root, 'a', 'b', 'c');
    const synced: string[] = [];
    await makeDirectory(relative(process.cwd(), `${path}/`), async (directory) => {
      synced.push(directory);
    });
    expect(synced).toEqual([root, dirname(dirname(path)), dirname(path)]);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    await makeDirectory(path, async (directory) => {
      synced.push(directory);
    });
    expect(synced.length).toBe(3);
  });
});
