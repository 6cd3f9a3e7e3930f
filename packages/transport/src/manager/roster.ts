import type { PeerId } from '@nzcore/identity';
import type { Connection } from '../connection/connection.ts';
import { TransportError } from '../errors.ts';
import type { Clock, Random } from '../time/clock.ts';
import { createDeadline } from '../time/deadline.ts';
import type { TimerWheel } from '../time/timer-wheel.ts';
import type { Admission, AdmissionControl, ResolvedConnectionLimits } from './admission.ts';
import type { Bans } from './bans.ts';
import type { Closing } from './closing.ts';
import { type ConnectionPool, createConnectionPool, type PooledConnection } from './connection-pool.ts';
import { resolveDuplicates } from './duplicates.ts';
import { type KeepAliveOptions, watchLiveness } from './keep-alive.ts';
import { leastWorthy } from './pruning.ts';
import type { OnTransportEvent } from './transport-event.ts';

export interface RosterOptions {
  readonly localPeer: PeerId;
  readonly limits: ResolvedConnectionLimits;
  readonly admission: AdmissionControl;
  readonly bans: Bans;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly random: Random;
  readonly keepAlive: KeepAliveOptions;
  readonly priorityOf: (peer: PeerId) => number;
  readonly emit: OnTransportEvent;
  readonly closing: Closing;
  readonly onConnection: (connection: Connection) => void;
  readonly onPeerConnected: (peer: PeerId) => void;
  readonly onPeerDisconnected: (peer: PeerId) => void;
}

/** The established connections: watches them, holds them within the limits and ends duplicates. */
export interface Roster {
  readonly pool: ConnectionPool;
  /**
   * Takes a connection over.
   * @throws TransportError `CLOSED`, `DIAL_FAILED` (this peer itself), `BANNED` or `LIMIT_EXCEEDED`; the connection is aborted then
   */
  enroll(connection: Connection, admission?: Admission): void;
}

/** Milliseconds that a pruned connection has for its goodbye: its place is wanted. */
const PRUNE_GRACE = 1_000;

export function createRoster(options: RosterOptions): Roster {
  const { localPeer, limits, admission, bans, clock, wheel, random, emit, closing } = options;
  const pool = createConnectionPool();

  function enroll(connection: Connection, admitted?: Admission): void {
    const peer = connection.remotePeer;
    const problem = refusal(peer, connection.remoteAddress);
    if (problem) {
      admitted?.release();
      connection.abort(problem);
      throw problem;
    }
    const pooled: PooledConnection = {
      connection,
      peer,
      openedAt: clock.monotonic(),
      admission: admitted,
      liveness: watchLiveness(connection, wheel, random, options.keepAlive),
      isSuperseded: false,
      isRefused: false,
    };
    const isFirst = pool.of(peer).length === 0;
    pool.add(pooled);
    // Watched before anything else can close it.
    void connection.closed.then((error) => leave(pooled, error));
    if (!makeRoom(pooled)) {
      throw new TransportError('LIMIT_EXCEEDED', 'every place is taken by a worthier connection');
    }
    emit({ type: 'connection-opened', peer, connection });
    if (isFirst) {
      emit({ type: 'peer-connected', peer, connection });
      options.onPeerConnected(peer);
    }
    options.onConnection(connection);
    resolveDuplicates(pooled, { pool, localPeer, supersede });
  }

  function refusal(peer: PeerId, address: string): TransportError | undefined {
    if (closing.reason) return closing.reason;
    if (peer === localPeer) return new TransportError('DIAL_FAILED', 'the address is of this peer itself');
    // Looked at now: the peer was unknown, or not banned, when the handshake began.
    if (bans.isPeerBanned(peer) || bans.isAddressBanned(address)) {
      return new TransportError('BANNED', 'the peer is banned');
    }
    if (pool.of(peer).length < limits.maxPerPeer) return undefined;
    return new TransportError('LIMIT_EXCEEDED', 'the peer has too many connections');
  }

  function leave(pooled: PooledConnection, error: Error | undefined): void {
    const { peer, connection } = pooled;
    pool.remove(pooled);
    pooled.liveness[Symbol.dispose]();
    pooled.admission?.release();
    if (pooled.admission && error instanceof TransportError && error.isViolation)
      admission.blame(connection.remoteAddress);
    if (pooled.isRefused) return;
    emit({ type: 'connection-closed', peer, connection, error });
    if (pool.of(peer).length > 0) return;
    emit({ type: 'peer-disconnected', peer, error });
    options.onPeerDisconnected(peer);
  }

  /** @returns false when the new connection itself had to go */
  function makeRoom(added: PooledConnection): boolean {
    const isInboundFull = pool.inbound > limits.maxInbound && added.connection.direction === 'inbound';
    if (pool.size <= limits.maxConnections && !isInboundFull) return true;
    const candidates = pool.all().filter((one) => {
      if (one.isSuperseded) return false;
      if (isInboundFull) return one.connection.direction === 'inbound';
      // What this side dialled just now is wanted just now.
      return one !== added || one.connection.direction === 'inbound';
    });
    const victim = leastWorthy(candidates, (one) => ({
      priority: options.priorityOf(one.peer),
      groupSize: one.admission ? admission.groupSize(one.connection.remoteAddress) : 0,
    }));
    if (victim === added || !victim) {
      added.isRefused = true;
      added.connection.abort(new TransportError('LIMIT_EXCEEDED', 'too many connections'));
      return false;
    }
    victim.isSuperseded = true;
    emit({ type: 'connection-pruned', peer: victim.peer, connection: victim.connection });
    farewell(victim, PRUNE_GRACE);
    return true;
  }

  function supersede(pooled: PooledConnection): void {
    emit({ type: 'connection-superseded', peer: pooled.peer, connection: pooled.connection });
    farewell(pooled, undefined);
  }

  /** Says goodbye; without a grace of its own the connection's close timeout applies. */
  function farewell({ connection }: PooledConnection, grace: number | undefined): void {
    const late = (): TransportError => new TransportError('LIMIT_EXCEEDED', 'no time left for a goodbye');
    const deadline = grace === undefined ? undefined : createDeadline(wheel, grace, late);
    connection
      .close(deadline ? { signal: deadline.signal } : {})
      .catch((error: unknown) => connection.abort(error as Error))
      .finally(() => deadline?.[Symbol.dispose]());
  }

  return { pool, enroll };
}
