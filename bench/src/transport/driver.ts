/** The process that dials and measures: `node driver.js <contestant>`. It starts the server's process itself. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { loadAdapter } from './load-adapter.ts';
import {
  type DriverMessage,
  type DriverRequest,
  nextMessage,
  type ServerMessage,
  type ServerRequest,
} from './messages.ts';
import { type Bench, type ServerControl, workloads } from './workloads.ts';

function send(message: DriverMessage): void {
  process.send?.(message);
}

async function openBench(name: string | undefined): Promise<Bench> {
  const child = fork(fileURLToPath(new URL('server.js', import.meta.url)), [name ?? ''], {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  const { address } = await nextMessage<ServerMessage, 'ready'>(child, 'ready');
  const server: ServerControl = {
    received: async () => (await nextMessage<ServerMessage, 'received'>(child, 'received')).bytes,
    async memory() {
      const answer = nextMessage<ServerMessage, 'memory'>(child, 'memory');
      const request: ServerRequest = { kind: 'memory' };
      child.send(request);
      return (await answer).memory;
    },
  };
  const adapter = await loadAdapter(name);
  return { client: await adapter.connect(address), server };
}

async function measure(bench: Bench, { workload }: DriverRequest): Promise<void> {
  const run = workloads[workload];
  if (run === undefined) throw new TypeError(`no workload is named ${workload}`);
  send({ kind: 'figures', figures: await run(bench) });
}

function report(error: unknown): void {
  send({ kind: 'error', message: error instanceof Error ? error.message : String(error) });
}

// Dropping a connection may break something of a peer's that nobody waits for; the measurement itself has its own errors.
process.on('unhandledRejection', () => undefined);
process.on('disconnect', () => process.exit(0));
try {
  const bench = await openBench(process.argv[2]);
  process.on('message', (request: DriverRequest) => void measure(bench, request).catch(report));
  send({ kind: 'ready' });
} catch (error) {
  report(error);
}
