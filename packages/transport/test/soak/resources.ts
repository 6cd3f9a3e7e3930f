import { setImmediate as tick } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What a process holds at one moment. */
export interface Resources {
  /** Bytes of live objects after a full collection of garbage. */
  readonly heap: number;
  /** Bytes of resident memory. */
  readonly resident: number;
  /** Sockets, servers, pipes, timers and requests that the event loop knows, by kind. */
  readonly active: Readonly<Record<string, number>>;
}

function collector(): () => void {
  if (globalThis.gc !== undefined) return globalThis.gc;
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/** Lets what is closing close, collects garbage until the heap stands still, and counts. */
export async function measureResources(): Promise<Resources> {
  const collect = collector();
  let heap = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < 10; pass++) {
    for (let turn = 0; turn < 20; turn++) await tick();
    collect();
    const now = process.memoryUsage().heapUsed;
    if (now > heap - 4096) break;
    heap = now;
  }
  const active: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) active[kind] = (active[kind] ?? 0) + 1;
  // This function's own waiting.
  delete active['Immediate'];
  return { heap, resident: process.memoryUsage().rss, active };
}

/** What grew between two moments, in words; empty when all is flat. */
export function findGrowth(before: Resources, after: Resources, allowedHeap: number): string[] {
  const growth: string[] = [];
  const heap = after.heap - before.heap;
  if (heap > allowedHeap) growth.push(`the heap grew by ${Math.round(heap / 1024)} KiB`);
  for (const [kind, count] of Object.entries(after.active)) {
    const earlier = before.active[kind] ?? 0;
    if (count > earlier) growth.push(`${kind}: ${earlier} became ${count}`);
  }
  return growth;
}
