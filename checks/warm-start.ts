import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Findings } from './workspace.ts';

const STARTS = 5;
const LIMIT = 3000;

/** The limit on a machine of its own; where other work waits for the same cores, as many times more. */
export function limitUnder(load: number, cores: number): number {
  return Math.round(LIMIT * Math.max(1, load / cores));
}

/** Starts the reference peer as README says; answers the milliseconds until it is ready, and stops it. */
async function start(root: string, directory: string): Promise<number> {
  const started = performance.now();
  const peer = ['pnpm@12', 'start', '--json', '--data-dir', join(directory, 'data')];
  const child = spawn('npx', ['-y', ...peer, '--listen', '/ip4/127.0.0.1/tcp/0'], {
    cwd: root,
    env: { ...process.env, XDG_CONFIG_HOME: join(directory, 'config') },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = once(child, 'close');
  let elapsed: number | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{"event":"ready"')) continue;
    elapsed = performance.now() - started;
    child.stdin.end('quit\n');
  }
  await ended;
  if (elapsed === undefined) throw new Error('the peer was not ready before it ended');
  return elapsed;
}

/**
 * A start of a peer that is built and has its identity takes less than three seconds, npx and pnpm included. The
 * best of several is judged, because a busy machine makes any of them late, and all are printed.
 */
export async function checkWarmStart(root: string): Promise<Findings> {
  const directory = await mkdtemp(join(tmpdir(), 'nzcore-start-'));
  try {
    await start(root, directory);
    const times: number[] = [];
    for (let run = 0; run < STARTS; run++) times.push(Math.round(await start(root, directory)));
    const [best = 0] = times.sort((a, b) => a - b);
    const [load = 0] = loadavg();
    const limit = limitUnder(load, cpus().length);
    console.log(
      `       warm starts: ${times.join(', ')} ms, load ${load.toFixed(1)} on ${cpus().length} cores`,
    );
    return best < limit ? [] : [`the best of ${STARTS} warm starts took ${best} ms; ${limit} is the limit`];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
