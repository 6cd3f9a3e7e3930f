import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';

/**
 * What the machine does besides the measurement. `awake`: one endless loop for each CPU in the scheduler's idle class, which gives
 * way to everybody at once: no CPU falls asleep, so that rows of latency do not measure how long the machine takes to wake one.
 * `busy`: the same loops as ordinary processes, which take half of the machine.
 */
export type Load = 'awake' | 'busy';

/** Starts the load, and answers a function that ends it. It also ends with this process. */
export async function startLoad(load: Load): Promise<() => void> {
  const loop = [
    process.execPath,
    '-e',
    "process.on('disconnect', () => process.exit()); setImmediate(function turn() { for (const end = performance.now() + 50; performance.now() < end; ); setImmediate(turn); })",
  ];
  const [command = '', ...args] = load === 'awake' ? ['chrt', '--idle', '0', ...loop] : loop;
  const children: ChildProcess[] = [];
  for (let cpu = 0; cpu < availableParallelism(); cpu++) {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 2, 'ipc'] });
    children.push(child);
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) =>
        reject(
          new Error(
            `--load ${load} could not start ${command} (on Linux, chrt comes with util-linux): ${error.message}`,
          ),
        ),
      );
    });
  }
  return () => {
    for (const child of children) child.kill('SIGKILL');
  };
}
