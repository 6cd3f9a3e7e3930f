import type { PeerId } from '@nzcore/identity';
import type { ConnectionPool, PooledConnection } from './connection-pool.ts';

export interface DuplicateOptions {
  readonly pool: ConnectionPool;
  readonly localPeer: PeerId;
  /** Closes gracefully: its streams may end. */
  readonly supersede: (pooled: PooledConnection) => void;
}

/**
 * Makes one connection survive when two peers have dialled each other at the same time, or one came back before the other
 * noticed that it had gone.
 *
 * Two sides that each apply a rule can disagree, for they see events in different orders, and then both connections die. So
 * one side alone decides: the one with the smaller PeerId. It keeps the newest connection that has answered a ping, for
 * that one is known to be alive on both sides, and closes the others gracefully. The other side closes nothing that
 * lives; it only pings the older ones, so that a dead one is found at once.
 */
export function resolveDuplicates(newest: PooledConnection, options: DuplicateOptions): void {
  const { pool, localPeer, supersede } = options;
  const older = pool.of(newest.peer).filter((one) => one !== newest && one.connection.isOpen);
  if (older.length === 0) return;
  if (localPeer > newest.peer) {
    for (const one of older) void one.liveness.probe();
    return;
  }
  void newest.liveness.probe().then((isAlive) => {
    if (!isAlive) return;
    const siblings = pool.of(newest.peer);
    const at = siblings.indexOf(newest);
    for (const one of siblings.slice(0, Math.max(at, 0))) {
      if (one.isSuperseded) continue;
      one.isSuperseded = true;
      supersede(one);
    }
  });
}
