import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Acknowledged, acknowledge, checkWorld, newAcknowledged, refusePlaintext } from './check.ts';
import type { Load } from './world.ts';

/** Options of {@link runCrashes}. */
export interface CrashOptions {
  readonly runs: number;
  /** How many kills one directory must survive before a fresh one is taken. @defaultValue 20 */
  readonly killsPerDirectory?: number | undefined;
  readonly onRun?: ((run: number, report: { acknowledged: number; isTorn: boolean }) => void) | undefined;
}

/** Kills a writing process again and again, and looks each time at what it has left. */
export async function runCrashes({ runs, killsPerDirectory = 20, onRun }: CrashOptions): Promise<void> {
  const worker = await bundleWorker();
  for (let run = 0; run < runs; ) {
    const directory = await mkdtemp(join(tmpdir(), 'nzcore-crash-'));
    const acknowledged = newAcknowledged();
    // Both ways of writing records are to be killed, each under both loads.
    const turn = Math.floor(run / killsPerDirectory);
    const load: Load = { freshness: turn % 2 === 1, isCalm: turn % 4 >= 2 };
    const { freshness } = load;
    try {
      for (let kill = 0; kill < killsPerDirectory && run < runs; kill++, run++) {
        await killWorker(worker, directory, { ...load, acknowledged });
        onRun?.(run, await checkWorld(directory, acknowledged, { freshness }));
      }
      await refusePlaintext(directory);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
}

/** Lets the worker write for a random time after it has begun, then kills it. */
async function killWorker(
  worker: string,
  directory: string,
  options: Load & { acknowledged: Acknowledged },
): Promise<void> {
  const { begun, ended, kill } = startWorker(worker, directory, options);
  await Promise.race([begun, ended]);
  await Promise.race([setTimeout(Math.random() * 300), ended]);
  kill();
  const { signal, errors } = await ended;
  if (signal !== 'SIGKILL') throw new Error(`the worker ended by itself: ${errors}`);
}

/** A process that writes, and what becomes of it. */
export interface RunningWorker {
  /** Resolves when its stores are open. */
  readonly begun: Promise<void>;
  /** Resolves when it has ended and everything that it said is noted. */
  readonly ended: Promise<{ signal: NodeJS.Signals | null; errors: string }>;
  kill(): void;
}

/** Starts a worker and notes what is acknowledged. */
export function startWorker(
  worker: string,
  directory: string,
  { freshness, isCalm, acknowledged }: Load & { acknowledged: Acknowledged },
): RunningWorker {
  const kinds = [freshness ? 'fresh' : 'plain', isCalm ? 'calm' : 'all'];
  const child = spawn(process.execPath, [worker, directory, ...kinds], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (bytes: Buffer) => {
    errors += bytes.toString();
  });
  const ended = new Promise<{ signal: NodeJS.Signals | null; errors: string }>((resolve) => {
    child.on('close', (_code, signal) => resolve({ signal, errors }));
  });
  let begin: () => void = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'ready') begin();
    else acknowledge(acknowledged, line);
  });
  return { begun, ended, kill: () => child.kill('SIGKILL') };
}

/** One plain script, because a process that starts in a second would make 200 of them long. */
export async function bundleWorker(name = 'worker'): Promise<string> {
  const outfile = fileURLToPath(new URL(`../node_modules/.cache/crash/${name}.mjs`, import.meta.url));
  await build({
    entryPoints: [fileURLToPath(new URL('worker.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@nzcore/source'],
    external: ['level'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
  return outfile;
}
