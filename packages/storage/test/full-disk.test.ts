import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { openLevelStore } from '../src/level.ts';
import { useDirectories } from './directories.ts';

const newDirectory = useDirectories();
const level = fileURLToPath(new URL('../src/level.ts', import.meta.url));

// Under a limit for the size of files, which stands for a full disk and is lifted after the first failure.
const writer = `
const { openLevelStore } = await import(${JSON.stringify(level)});
const { execFileSync } = await import('node:child_process');
const store = await openLevelStore(process.argv[1]);
const value = crypto.getRandomValues(new Uint8Array(3_000));
const outcomes = [];
for (let i = 0; i < 100; i++) {
  outcomes.push(await store.put(Uint8Array.of(i), value, { sync: true }).then(() => 'written', ({ code }) => code));
  if (outcomes[i] === 'NO_SPACE') execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited']);
}
outcomes.push((await store.get(Uint8Array.of(0))) === undefined ? 'missing' : 'read');
process.stdout.write(JSON.stringify(outcomes), () => process.kill(process.pid, 'SIGKILL'));
`;

it.runIf(process.platform === 'linux')(
  'a store on a full disk says NO_SPACE, writes nothing behind that, and has everything acknowledged when it is opened again',
  async () => {
    const directory = join(await newDirectory(), 'store');
    const args = [
      '--import',
      'tsx',
      '--conditions=@nzcore/source',
      '--input-type=module',
      '-e',
      writer,
      directory,
    ];
    const limited = `trap '' XFSZ; ulimit -S -f 100; exec "$@"`;
    const killed = promisify(execFile)('bash', ['-c', limited, 'bash', process.execPath, ...args]);
    const { stdout, signal } = (await killed.catch((error: { stdout: string; signal: string }) => error)) as {
      stdout: string;
      signal?: string;
    };
    expect(signal).toBe('SIGKILL');
    const outcomes = JSON.parse(stdout) as string[];
    const acknowledged = outcomes.indexOf('NO_SPACE');
    expect(acknowledged).toBeGreaterThan(5);
    expect(outcomes.slice(0, acknowledged)).toEqual(Array(acknowledged).fill('written'));
    expect(outcomes.slice(acknowledged + 1)).toEqual([
      ...Array(99 - acknowledged).fill('STORE_FAILED'),
      'read',
    ]);
    await using store = await openLevelStore(directory);
    for (let i = 0; i < acknowledged; i++) expect((await store.get(Uint8Array.of(i)))?.length).toBe(3_000);
    await store.put(Uint8Array.of(200), Uint8Array.of(1), { sync: true });
  },
  30_000,
);

const namespace = ['--user', '--map-root-user', '--mount'];
// Where the system lets a user mount something in a namespace of his own.
const canMount =
  process.platform === 'linux' &&
  spawnSync('unshare', [...namespace, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

it.runIf(canMount)(
  'records, files and logs on a file system that fills up say NO_SPACE and lose nothing (short form of `proof:full-disk`)',
  async () => {
    const program = fileURLToPath(new URL('../crash/full-disk.ts', import.meta.url));
    const node = [process.execPath, '--import', 'tsx', '--conditions=@nzcore/source'];
    const { stdout } = await promisify(execFile)('unshare', [...namespace, ...node, program, '4']);
    expect(stdout).toMatch(/^4 full disks: NO_SPACE each time, nothing acknowledged was lost/);
  },
  60_000,
);
