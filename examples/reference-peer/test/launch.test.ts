import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { spawnPeer } from '../src/child-peer.ts';

const launch = fileURLToPath(new URL('../launch.js', import.meta.url));
let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nzcore-launch-'));
  path = join(directory, 'bin');
  await mkdir(path);
  await symlink(process.execPath, join(path, 'node'));
  // Builds with whatever is on the PATH of these tests, unless it is built already.
  expect(spawnSync(process.execPath, [launch], { encoding: 'utf8' })).toMatchObject({
    status: 0,
    stderr: '',
  });
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('launch.js, once it is built', () => {
  it('starts a peer where there is Node and neither pnpm nor npx, as under a supervisor', async () => {
    const args = ['--json', '--data-dir', join(directory, 'data'), '--listen', '/ip4/127.0.0.1/tcp/0'];
    await using peer = spawnPeer({
      command: [join(path, 'node'), launch, 'main', ...args],
      env: { PATH: path, HOME: directory },
      cwd: directory,
    });
    await peer.take({ event: 'ready' });
    peer.kill('SIGTERM');
    expect(await peer.exited).toEqual({ code: 0, signal: null });
    expect([peer.errors, peer.otherLines]).toEqual(['', []]);
  }, 60_000);

  it('passes the options on', () => {
    const help = spawnSync(join(path, 'node'), [launch, 'main', '--help'], {
      encoding: 'utf8',
      env: { PATH: path },
    });
    expect(help.stdout).toContain('--bootstrap ADDRESS');
    expect([help.status, help.stderr]).toEqual([0, '']);
  });
});
