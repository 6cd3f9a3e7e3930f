import type { Random } from '../time/clock.ts';

/** How fast retries become rare. */
export interface BackOffOptions {
  /** Milliseconds before the first retry. @defaultValue 1,000 */
  readonly base?: number;
  /** Longest delay in milliseconds. @defaultValue 300,000 */
  readonly max?: number;
}

/**
 * Milliseconds to wait after `failures` failures in a row: doubling, with "equal jitter" (between half and all of it), so that
 * peers that lost the same server do not come back together, and none comes back at once.
 */
export function backOffDelay(failures: number, random: Random, options: BackOffOptions = {}): number {
  const { base = 1_000, max = 300_000 } = options;
  // 2^30 seconds are past any `max`; without the bound the power would become Infinity.
  const full = Math.min(max, base * 2 ** Math.min(Math.max(failures, 1) - 1, 30));
  return full / 2 + (random() * full) / 2;
}
