import { parseArgs } from 'node:util';
import type { Load } from './load.ts';

/** What `pnpm bench` was asked for. */
export interface BenchOptions {
  readonly area: string;
  readonly json: boolean;
  /** A table for docs/benchmarks.md. */
  readonly markdown: boolean;
  readonly rounds: number | undefined;
  readonly node: '20' | '24' | undefined;
  /** Only these metrics; empty for all. */
  readonly metrics: readonly string[];
  /** Only these peers; empty for all. */
  readonly peers: readonly string[];
  /** Fail when a row is below its gate. */
  readonly gate: boolean;
  /** What the machine does besides; nothing when undefined. */
  readonly load: Load | undefined;
}

export const usage = `usage: pnpm bench <area> [--json | --markdown] [--rounds N] [--node 20|24] [--metric a,b] [--peer a,b] [--gate] [--load awake|busy]
       pnpm bench check

  --json      one JSON object a row: area, metric, ours, peer, theirs, ratio, rounds, node
  --markdown  a table with goals and where each row stands
  --rounds N  interleaved rounds (default 7)
  --node V    the major version of Node that both sides run on (default: the area's)
  --metric M  only these rows          --peer P  only these peers
  --gate      exit 1 when a row is below its gate
  --load L    beside an endless loop for each CPU: awake, in the idle class, only keeps CPUs from sleeping;
              busy, as ordinary processes, takes half of the machine
  check       install, build and type-check the benchmarks, measure nothing`;

/** @throws Error with one line that says what was wrong. */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: args.filter((arg) => arg !== '--'),
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      gate: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      node: { type: 'string' },
      load: { type: 'string' },
      metric: { type: 'string', default: '' },
      peer: { type: 'string', default: '' },
    },
  });
  const [area, ...rest] = positionals;
  if (area === undefined || rest.length > 0) throw new Error('one area is needed');
  if (!/^[a-z][a-z-]*$/.test(area)) throw new Error(`no area is named ${area}`);
  const { json, markdown, gate, rounds, node, load } = values;
  if (rounds !== undefined && !/^[1-9]\d{0,3}$/.test(rounds))
    throw new Error('--rounds takes a number from 1');
  if (node !== undefined && node !== '20' && node !== '24') throw new Error('--node takes 20 or 24');
  if (load !== undefined && load !== 'awake' && load !== 'busy')
    throw new Error('--load takes awake or busy');
  const [metrics, peers] = [values.metric, values.peer].map((list) => list.split(',').filter(Boolean));
  return {
    area,
    json,
    markdown,
    gate,
    load,
    rounds: rounds === undefined ? undefined : Number(rounds),
    node,
    metrics: metrics ?? [],
    peers: peers ?? [],
  };
}
