import { existsSync, readFileSync } from 'node:fs';
import type { Row } from './rounds.ts';

/** A goal for one row: at least (`higher`) or at most (`lower`) this much. */
export interface Gate {
  readonly metric: string;
  /** The peer's name; `*` is a goal for our own figure, whoever is beside it. */
  readonly peer: string;
  /** Whether the goal is for `ratio` or, in the metric's unit, for `ours`. */
  readonly of: 'ratio' | 'ours';
  readonly gate: number;
  /** Where better than this is wrong too: a password hash that is too fast, for one. Without a stretch goal. */
  readonly limit?: number;
  readonly stretch?: number;
}

/** Where a row stands. */
export type Standing = 'no goal' | 'below gate' | 'ok' | 'stretch reached';

/** Reads `gates/<area>.json`: an array of {@link Gate}. An area without the file has no goals. */
export function readGates(file: URL): readonly Gate[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Gate[]) : [];
}

/** The goals that a row is held to. */
export function gatesOf(gates: readonly Gate[], row: Row): readonly Gate[] {
  return gates.filter(
    (gate) => gate.metric === row.metric.name && (gate.peer === row.peer || gate.peer === '*'),
  );
}

/** A row stands where the worst of its goals stands. */
export function standingOf(gates: readonly Gate[], row: Row): Standing {
  const standings = gatesOf(gates, row).map((gate): Standing => {
    const value = gate.of === 'ratio' ? row.ratio : row.ours;
    if (!reaches(row, value, gate.gate)) return 'below gate';
    if (gate.limit !== undefined && !reaches(row, gate.limit, value)) return 'below gate';
    return gate.stretch !== undefined && reaches(row, value, gate.stretch) ? 'stretch reached' : 'ok';
  });
  const order: readonly Standing[] = ['below gate', 'ok', 'stretch reached'];
  return order.find((standing) => standings.includes(standing)) ?? 'no goal';
}

function reaches(row: Row, value: number, goal: number): boolean {
  return row.metric.better === 'higher' ? value >= goal : value <= goal;
}
