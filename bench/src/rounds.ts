import type { Contestant, Figures, Metric, Run, Trial } from './area.ts';
import { median } from './statistics.ts';

/** One row of the table: one metric of ours beside one peer's. */
export interface Row {
  readonly metric: Metric;
  readonly peer: string;
  /** Median of our rounds. */
  readonly ours: number;
  /** Median of the peer's rounds. */
  readonly theirs: number;
  /** `ours / theirs`. */
  readonly ratio: number;
  /** The smallest and the largest ratio that a single round had. */
  readonly spread: readonly [number, number];
  readonly rounds: number;
}

/** How often, and whom. */
export interface RoundOptions {
  readonly rounds: number;
  /** The major version of the Node that runs. */
  readonly nodeMajor: number;
  /** Told of a contestant that is left out or that failed. */
  readonly onNote?: (note: string) => void;
}

interface Entry {
  readonly contestant: Contestant;
  readonly run: Run;
  /** By metric, one figure a round. */
  readonly samples: Map<string, number[]>;
  /** By metric, the figures of the turns of this round. */
  readonly turns: Map<string, number[]>;
}

/**
 * Measures the contestants in turn: ours, peer A, peer B, ours, peer A, ... A burst of load on the machine then hits all of
 * them alike. Each round starts with another contestant, so that nobody always follows the same one.
 * A peer that fails is left out; when we fail, the trial fails.
 */
export async function runTrial(trial: Trial, options: RoundOptions): Promise<Row[]> {
  const { rounds, onNote } = options;
  const entries: Entry[] = [];
  try {
    for (const contestant of eligible(trial, options)) await openInto(entries, contestant, onNote);
    for (let round = -(trial.warmupRounds ?? 1); round < rounds; round++) {
      for (let turn = 0; turn < (trial.turns ?? 1); turn++) {
        const first = (Math.max(0, round) + turn) % Math.max(1, entries.length);
        for (const entry of [...entries.slice(first), ...entries.slice(0, first)]) {
          await measureOnce(entries, entry, { trial, onNote });
        }
      }
      for (const entry of entries) endRound(entry, round >= 0);
    }
    return trial.metrics.flatMap((metric) => rowsOf(metric, entries));
  } finally {
    for (const entry of entries) await entry.run.close?.();
  }
}

function eligible(trial: Trial, { nodeMajor, onNote }: RoundOptions): Contestant[] {
  return trial.contestants.filter(({ name, minimumNode = 0 }) => {
    if (nodeMajor < minimumNode) onNote?.(`${name} needs Node ${minimumNode}: left out`);
    return nodeMajor >= minimumNode;
  });
}

type Note = RoundOptions['onNote'];

async function openInto(entries: Entry[], contestant: Contestant, onNote: Note): Promise<void> {
  try {
    entries.push({ contestant, run: await contestant.open(), samples: new Map(), turns: new Map() });
  } catch (error) {
    if (contestant.name === 'ours') throw error;
    onNote?.(`${contestant.name} did not start: ${messageOf(error)}`);
  }
}

interface Measurement {
  readonly trial: Trial;
  readonly onNote: Note;
}

async function measureOnce(entries: Entry[], entry: Entry, { trial, onNote }: Measurement): Promise<void> {
  const { contestant, run, turns } = entry;
  try {
    const figures = await withTimeout(run.measure(), trial.timeout ?? 60_000);
    for (const { name } of trial.metrics) append(turns, name, figureOf(figures, name));
  } catch (error) {
    if (contestant.name === 'ours') throw error;
    onNote?.(`${contestant.name} failed and is left out: ${messageOf(error)}`);
    entries.splice(entries.indexOf(entry), 1);
    await run.close?.();
  }
}

/** The figure of a round is the median of its turns. */
function endRound({ samples, turns }: Entry, keep: boolean): void {
  if (keep) for (const [name, figures] of turns) append(samples, name, median(figures));
  turns.clear();
}

function append(lists: Map<string, number[]>, name: string, figure: number): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [figure]);
  else list.push(figure);
}

function figureOf(figures: Figures, name: string): number {
  const figure = typeof figures === 'number' ? figures : figures[name];
  if (figure === undefined || !Number.isFinite(figure)) throw new Error(`no figure for ${name}`);
  return figure;
}

function rowsOf(metric: Metric, entries: readonly Entry[]): Row[] {
  const own = entries.find(({ contestant }) => contestant.name === 'ours')?.samples.get(metric.name) ?? [];
  return entries.flatMap(({ contestant, samples }) => {
    const other = samples.get(metric.name);
    if (contestant.name === 'ours' || other === undefined || own.length === 0) return [];
    const ratios = own.map((value, round) => value / other[round]!);
    const [ours, theirs] = [median(own), median(other)];
    const spread = [Math.min(...ratios), Math.max(...ratios)] as const;
    return [
      { metric, peer: contestant.name, ours, theirs, ratio: ours / theirs, spread, rounds: own.length },
    ];
  });
}

async function withTimeout<T>(value: T | Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([value, expired]);
  } finally {
    clearTimeout(timer);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
