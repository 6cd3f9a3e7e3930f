import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

describe('on Node, before libsodium is loaded', () => {
  it('names, words, signatures, cards, delegations, shares and keystores work', async () => {
    const program = fileURLToPath(new URL('./without-libsodium/program.ts', import.meta.url));
    const args = ['--import', 'tsx', '--conditions=@nzcore/source', program];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout).toBe('all without libsodium\n');
  });
});
