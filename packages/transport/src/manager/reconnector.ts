import type { PeerId } from '@nzcore/identity';
import type { Random } from '../time/clock.ts';
import type { TimerWheel, WheelTimer } from '../time/timer-wheel.ts';
import { type BackOffOptions, backOffDelay } from './back-off.ts';
import type { OnTransportEvent } from './transport-event.ts';

export interface ReconnectorOptions {
  readonly wheel: TimerWheel;
  readonly random: Random;
  readonly backOff: BackOffOptions;
  readonly connect: (peer: PeerId) => Promise<unknown>;
  readonly isConnected: (peer: PeerId) => boolean;
  readonly emit: OnTransportEvent;
}

/** Keeps connections to chosen peers: dials again after a loss, ever more rarely. */
export interface Reconnector extends Disposable {
  keep(peer: PeerId): void;
  release(peer: PeerId): void;
  isKept(peer: PeerId): boolean;
  connected(peer: PeerId): void;
  disconnected(peer: PeerId): void;
}

interface Kept {
  failures: number;
  timer: WheelTimer | undefined;
  isDialling: boolean;
  /** Monotonic milliseconds. */
  connectedAt: number;
}

/** A connection that lasted this long was a good one, and the next loss starts counting anew. */
const STABLE_AFTER = 60_000;

export function createReconnector(options: ReconnectorOptions): Reconnector {
  const { wheel, random, backOff, connect, isConnected, emit } = options;
  const kept = new Map<PeerId, Kept>();
  let isDisposed = false;

  function attempt(peer: PeerId, entry: Kept): void {
    entry.timer = undefined;
    if (isDisposed || entry.isDialling || isConnected(peer)) return;
    entry.isDialling = true;
    connect(peer).then(
      () => {
        entry.isDialling = false;
        // It may be gone again already.
        if (!isConnected(peer)) schedule(peer, entry);
      },
      () => {
        entry.isDialling = false;
        schedule(peer, entry);
      },
    );
  }

  function schedule(peer: PeerId, entry: Kept): void {
    if (isDisposed || kept.get(peer) !== entry || entry.timer || entry.isDialling) return;
    entry.failures++;
    const delay = backOffDelay(entry.failures, random, backOff);
    entry.timer = wheel.schedule(delay, () => attempt(peer, entry));
    emit({ type: 'reconnect-scheduled', peer, failures: entry.failures, delay });
  }

  return {
    keep: (peer) => {
      if (kept.has(peer) || isDisposed) return;
      const entry: Kept = { failures: 0, timer: undefined, isDialling: false, connectedAt: wheel.now() };
      kept.set(peer, entry);
      attempt(peer, entry);
    },
    release: (peer) => {
      kept.get(peer)?.timer?.cancel();
      kept.delete(peer);
    },
    isKept: (peer) => kept.has(peer),
    connected: (peer) => {
      const entry = kept.get(peer);
      if (!entry) return;
      entry.timer?.cancel();
      entry.timer = undefined;
      entry.connectedAt = wheel.now();
    },
    disconnected: (peer) => {
      const entry = kept.get(peer);
      if (!entry) return;
      if (wheel.now() - entry.connectedAt >= STABLE_AFTER) entry.failures = 0;
      schedule(peer, entry);
    },
    [Symbol.dispose]: () => {
      isDisposed = true;
      for (const { timer } of kept.values()) timer?.cancel();
      kept.clear();
    },
  };
}
