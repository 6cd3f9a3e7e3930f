import type { PeerId } from '@nzcore/identity';
import type { Connection } from '../connection/connection.ts';
import type { Admission } from './admission.ts';

/** A connection and what the pool knows about it. */
export interface PooledConnection {
  readonly connection: Connection;
  readonly peer: PeerId;
  /** Monotonic milliseconds. */
  readonly openedAt: number;
  /** Undefined for a connection that this side dialled. */
  readonly admission: Admission | undefined;
  readonly liveness: Disposable & { probe(): Promise<boolean> };
  /** It is being closed for another one to the same peer. */
  isSuperseded: boolean;
  /** There was no place for it: nobody hears of it. */
  isRefused: boolean;
}

/** The open connections by peer, the oldest first. */
export interface ConnectionPool {
  add(pooled: PooledConnection): void;
  remove(pooled: PooledConnection): void;
  /** The connection to use: the newest that takes new streams. */
  best(peer: PeerId): PooledConnection | undefined;
  of(peer: PeerId): readonly PooledConnection[];
  all(): readonly PooledConnection[];
  readonly size: number;
  readonly inbound: number;
}

export function createConnectionPool(): ConnectionPool {
  const byPeer = new Map<PeerId, PooledConnection[]>();
  let size = 0;
  let inbound = 0;
  const inboundStep = ({ connection }: PooledConnection): number =>
    connection.direction === 'inbound' ? 1 : 0;
  return {
    add: (pooled) => {
      const list = byPeer.get(pooled.peer);
      if (list) list.push(pooled);
      else byPeer.set(pooled.peer, [pooled]);
      size++;
      inbound += inboundStep(pooled);
    },
    remove: (pooled) => {
      const list = byPeer.get(pooled.peer);
      const at = list?.indexOf(pooled) ?? -1;
      if (!list || at < 0) return;
      list.splice(at, 1);
      if (list.length === 0) byPeer.delete(pooled.peer);
      size--;
      inbound -= inboundStep(pooled);
    },
    best: (peer) => byPeer.get(peer)?.findLast(({ connection }) => connection.isOpen),
    of: (peer) => [...(byPeer.get(peer) ?? [])],
    all: () => [...byPeer.values()].flat(),
    get size(): number {
      return size;
    },
    get inbound(): number {
      return inbound;
    },
  };
}
