import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('../bench/large-file.ts', import.meta.url));

it('a file of 256 MiB is written and read in a heap of 64 MiB and 96 MiB of memory above the start', async () => {
  const node = ['--max-old-space-size=64', '--import', 'tsx', '--conditions=@nzcore/source'];
  const { stdout } = await promisify(execFile)(process.execPath, [...node, program, '256', '96']);
  expect(stdout).toMatch(/^256 MiB: written/);
}, 60_000);
