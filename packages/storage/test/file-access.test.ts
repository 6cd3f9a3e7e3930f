import { describe, expect, it } from 'vitest';
import { withFile } from '../src/file-system/file-access.ts';
import type { OpenedFile } from '../src/files.ts';

const closed: string[] = [];
/** As on a network file system, which may tell of a failed write only when the file is closed. */
const opening = async (): Promise<OpenedFile> =>
  ({
    close: async () => {
      closed.push('closed');
      throw new Error('closing');
    },
  }) as unknown as OpenedFile;

describe('a file that fails when it is closed', () => {
  it('fails with that error when all went well before, for then it is the only one that tells', async () => {
    await expect(withFile(opening(), async () => 1)).rejects.toThrow('closing');
  });

  it('fails with the first error, and is closed all the same', async () => {
    closed.length = 0;
    await expect(withFile(opening(), () => Promise.reject(new Error('writing')))).rejects.toThrow('writing');
    expect(closed).toEqual(['closed']);
  });
});
