import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { syncOlderJournals } from '../src/level/journal.ts';
import { createLevelDriver, type LevelDatabase } from '../src/level/level-driver.ts';
import { useDirectories } from './directories.ts';

const newDirectory = useDirectories();
const key = Uint8Array.of(1);
const put = [{ type: 'put', key, value: key }] as const;

/** A driver over a database that only notes what it is asked for. */
function newDriver(syncOlder: () => Promise<void> = async () => {}) {
  const calls: string[] = [];
  const note = async (_key: Uint8Array, _value: unknown, options?: { sync: boolean }): Promise<void> => {
    calls.push(options?.sync === true ? 'put, sync' : 'put');
  };
  const batch = () => ({ length: 0, close: async () => {} });
  const del = async (): Promise<void> => {
    calls.push('tombstone, sync');
  };
  const driver = createLevelDriver({ put: note, batch, del } as unknown as LevelDatabase, {
    storedBytes: async () => 0,
    syncOlderJournals: async () => {
      calls.push('older journals');
      await syncOlder();
    },
  });
  return { driver, calls };
}

describe('a write with sync', () => {
  it('makes the journals before last too, if something lies in them that was written without', async () => {
    const { driver, calls } = newDriver();
    await driver.write(put, true);
    await driver.write(put, false);
    await driver.write(put, true);
    await driver.write(put, true);
    await driver.write(put, false);
    await driver.write([], true);
    expect(calls).toEqual([
      'put, sync',
      'put',
      'put, sync',
      'older journals',
      'put, sync',
      'put',
      'tombstone, sync',
      'older journals',
    ]);
  });

  it('that cannot do so is refused, and so is what follows, for the system may have dropped those pages', async () => {
    const error = Object.assign(new Error('injected'), { code: 'EIO' });
    const { driver } = newDriver(() => Promise.reject(error));
    await driver.write(put, false);
    await expect(driver.write(put, true)).rejects.toMatchObject({ code: 'IO_ERROR' });
    await expect(driver.write(put, false)).rejects.toMatchObject({ code: 'STORE_FAILED' });
  });
});

describe('older journals', () => {
  it('are all but the last by number, and may be gone when their turn comes', async () => {
    const directory = await newDirectory();
    for (const name of ['000009.log', '000100.log', '100000.log', '1000000.log', '1000001.ldb', 'LOG']) {
      await writeFile(join(directory, name), name);
    }
    const synced: string[] = [];
    await syncOlderJournals(directory, async (path) => {
      synced.push(basename(path));
      if (path.endsWith('000009.log')) throw Object.assign(new Error('gone'), { code: 'ENOENT' });
    });
    expect(synced).toEqual(['000009.log', '000100.log', '100000.log']);
    await syncOlderJournals(directory);
    await syncOlderJournals(await newDirectory());
  });

  it('that cannot be opened are an error', async () => {
    const directory = await newDirectory();
    await mkdir(join(directory, '000001.log'));
    await writeFile(join(directory, '000002.log'), '');
    await expect(syncOlderJournals(directory)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});
