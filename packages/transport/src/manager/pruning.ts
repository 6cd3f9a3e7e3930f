import type { PooledConnection } from './connection-pool.ts';

/** What decides whether a connection is worth its place. */
export interface Worth {
  /** Set by the owner; kept peers have more than others. */
  readonly priority: number;
  /** Connections from the same subnet, itself included. */
  readonly groupSize: number;
}

/**
 * The connection to give up when there are too many, the new one included: the lowest priority; then one without streams;
 * then one of the most crowded subnet, so that a flood from one network displaces itself; then the newest, so
 * that who is here is not pushed out by who comes.
 */
export function leastWorthy(
  candidates: readonly PooledConnection[],
  worthOf: (pooled: PooledConnection) => Worth,
): PooledConnection | undefined {
  let worst: { pooled: PooledConnection; key: readonly number[] } | undefined;
  for (const pooled of candidates) {
    const { priority, groupSize } = worthOf(pooled);
    const isBusy = pooled.connection.stats.streams > 0 ? 1 : 0;
    const key = [priority, isBusy, -groupSize, -pooled.openedAt];
    if (!worst || isLess(key, worst.key)) worst = { pooled, key };
  }
  return worst?.pooled;
}

function isLess(a: readonly number[], b: readonly number[]): boolean {
  for (const [i, value] of a.entries()) {
    if (value !== b[i]) return value < b[i]!;
  }
  // Of two that are equal in everything the one that was added later goes.
  return true;
}
