import type { ChildProcess } from 'node:child_process';

/** What the server's process tells its driver. */
export type ServerMessage =
  | { readonly kind: 'ready'; readonly address: string }
  | { readonly kind: 'received'; readonly bytes: number }
  | { readonly kind: 'memory'; readonly memory: Memory };

/** What the driver asks its server. */
export interface ServerRequest {
  readonly kind: 'memory';
}

/** Bytes after a full collection of garbage. */
export interface Memory {
  readonly heap: number;
  readonly resident: number;
}

/** What the benchmark asks a driver, and what it is answered. */
export interface DriverRequest {
  readonly workload: string;
}
export type DriverMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'figures'; readonly figures: Readonly<Record<string, number>> }
  | { readonly kind: 'error'; readonly message: string };

/** Measures after two collections: the first one may leave finalizers behind. */
export function measureMemory(): Memory {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed, resident: rss };
}

/** Resolves with the next message of one kind; rejects when the process ends first. */
export function nextMessage<M extends { readonly kind: string }, K extends M['kind']>(
  child: ChildProcess,
  kind: K,
): Promise<Extract<M, { readonly kind: K }>> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown): void => {
      const typed = message as M;
      if (typed.kind === 'error') settle(() => reject(new Error((message as { message: string }).message)));
      else if (typed.kind === kind) settle(() => resolve(message as Extract<M, { readonly kind: K }>));
    };
    const onExit = (code: number | null): void =>
      settle(() => reject(new Error(`the process ended with ${code} (see above)`)));
    const settle = (end: () => void): void => {
      child.off('message', onMessage);
      child.off('exit', onExit);
      end();
    };
    child.on('message', onMessage);
    child.on('exit', onExit);
  });
}
