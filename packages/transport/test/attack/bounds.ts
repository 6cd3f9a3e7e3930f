import type { Outcome } from './experiment.ts';

/** What an attack may cost at most. */
export interface Bounds {
  /** How many times longer an honest peer's round trip may take than in quiet. */
  readonly latencyRatio: number;
  /** What the 95th percentile may be at any rate, in milliseconds: a ratio of two small numbers says little. */
  readonly tail: number;
  /** Resident memory while the attack goes on, in bytes. */
  readonly peakGrowth: number;
  /** Heap that did not come back afterwards, in bytes. */
  readonly leftHeap: number;
  /** Share of a core that is still used once the attacker is gone. */
  readonly loadAfter: number;
}

const MiB = 1024 * 1024;

export const defaultBounds: Bounds = {
  latencyRatio: 3,
  // Nobody notices it, and other work on the machine may cost as much.
  tail: 15,
  // What all peers together can make it hold is 48 MiB; the memory for that may be up to twice as much, and there is garbage.
  peakGrowth: 128 * MiB,
  leftHeap: 4 * MiB,
  loadAfter: 0.1,
};

/** What of an outcome is beyond the bounds, in words; empty when the peer held. */
export function findViolations(outcome: Outcome, bounds: Bounds = defaultBounds): string[] {
  const { quiet, attacked } = outcome;
  const violations: string[] = [];
  const claim = (holds: boolean, words: string): void => void (holds || violations.push(words));
  const ratio = attacked.median / quiet.median;
  claim(ratio <= bounds.latencyRatio, `the median round trip took ${ratio.toFixed(1)} times as long`);
  const tail = attacked.p95 / quiet.p95;
  claim(
    tail <= bounds.latencyRatio || attacked.p95 <= bounds.tail,
    `the 95th percentile of round trips took ${tail.toFixed(1)} times as long`,
  );
  claim(outcome.peakGrowth <= bounds.peakGrowth, `memory grew by ${formatMiB(outcome.peakGrowth)} meanwhile`);
  claim(outcome.leftHeap <= bounds.leftHeap, `${formatMiB(outcome.leftHeap)} of heap were never given back`);
  claim(
    outcome.loadAfter <= bounds.loadAfter,
    `${Math.round(outcome.loadAfter * 100)} % of a core afterwards`,
  );
  claim(outcome.connectionsLeft <= 1, `${outcome.connectionsLeft} connections afterwards instead of 1`);
  claim(outcome.newcomerServed, 'a new honest peer was not served during the attack');
  const done = Object.values(outcome.done).reduce((sum, count) => sum + count, 0);
  claim(done > 0, 'the attacker did nothing');
  return violations;
}

/** Bytes as MiB with one decimal. */
export function formatMiB(bytes: number): string {
  return `${(bytes / MiB).toFixed(1)} MiB`;
}
