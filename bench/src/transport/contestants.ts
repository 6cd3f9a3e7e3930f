import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Contestant, Figures, Run } from '../area.ts';
import { type DriverMessage, type DriverRequest, nextMessage } from './messages.ts';

/** How contestants are run. */
export interface PairOptions {
  /** A name of `workloads.ts`. */
  readonly workload: string;
  /** New processes for every measurement, because what is left of the last one would be measured too. @defaultValue false */
  readonly fresh?: boolean;
}

/** Two processes, a client and a server, that measure on request. */
async function openPair(adapter: string, workload: string): Promise<Run> {
  const driver = fork(fileURLToPath(new URL('driver.js', import.meta.url)), [adapter], {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  const close = async (): Promise<void> => {
    const gone = new Promise((resolve) => driver.once('exit', resolve));
    if (driver.connected) driver.disconnect();
    if (driver.exitCode === null && driver.signalCode === null) await gone;
  };
  try {
    await nextMessage<DriverMessage, 'ready'>(driver, 'ready');
  } catch (error) {
    await close();
    throw error;
  }
  return {
    close,
    async measure(): Promise<Figures> {
      const answer = nextMessage<DriverMessage, 'figures'>(driver, 'figures');
      const request: DriverRequest = { workload };
      driver.send(request);
      return (await answer).figures;
    },
  };
}

/** Opens a pair, measures once, ends it. */
async function measureFresh(adapter: string, workload: string): Promise<Figures> {
  const run = await openPair(adapter, workload);
  try {
    return await run.measure();
  } finally {
    await run.close?.();
  }
}

/** libp2p 3 uses what Node has since version 22. */
const minimumNodes: Readonly<Record<string, number>> = { libp2p: 22 };

/** A contestant whose adapter has its name, or for ours another one. */
export function contestantOf(name: string, options: PairOptions, adapter: string = name): Contestant {
  const { workload, fresh = false } = options;
  const minimumNode = minimumNodes[name] ?? 20;
  const open = fresh
    ? () => ({ measure: () => measureFresh(adapter, workload) })
    : () => openPair(adapter, workload);
  return { name, minimumNode, open };
}
