import { limitKeys } from '../host-rate.ts';
import type { DatagramSession } from './datagram-session.ts';

/** Bounds of a {@link SessionTable}. */
export interface SessionBounds {
  readonly maxSessions: number;
  /** Sessions that nothing has proven yet. */
  readonly maxPendingHandshakes: number;
  readonly maxSessionsPerHost: number;
}

/**
 * The sessions of an endpoint, bounded in all, for each host, and for those whose peer may be a recording. Sets and maps are in
 * order of use, the longest unused first.
 */
export class SessionTable {
  readonly #bounds: SessionBounds;
  /** By this side's name. */
  readonly #sessions = new Map<string, DatagramSession>();
  readonly #unproven = new Set<DatagramSession>();
  /** Those that others opened, by host; loopback is exempt. */
  readonly #byHost = new Map<string, Set<DatagramSession>>();
  readonly #hosts = new WeakMap<DatagramSession, string>();

  constructor(bounds: SessionBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(name: string): DatagramSession | undefined {
    return this.#sessions.get(name);
  }

  all(): DatagramSession[] {
    return [...this.#sessions.values()];
  }

  /** @returns the session that has to go for it, if there are too many now */
  add(session: DatagramSession, direction: 'inbound' | 'outbound'): DatagramSession | undefined {
    this.#sessions.set(session.localName, session);
    if (!session.isProven) this.#unproven.add(session);
    const hosts = direction === 'inbound' ? this.#addToHost(session) : undefined;
    const { maxSessions, maxPendingHandshakes, maxSessionsPerHost } = this.#bounds;
    if (hosts && hosts.size > maxSessionsPerHost) return leastWorthy(hosts, session);
    if (this.#unproven.size > maxPendingHandshakes) return this.#unproven.values().next().value;
    if (this.#sessions.size <= maxSessions) return undefined;
    const [unproven] = this.#unproven;
    return unproven && unproven !== session ? unproven : this.#sessions.values().next().value;
  }

  #addToHost(session: DatagramSession): Set<DatagramSession> | undefined {
    const host = limitKeys(session.address)?.host;
    if (host === undefined) return undefined;
    const sessions = this.#byHost.get(host) ?? new Set();
    this.#byHost.set(host, sessions.add(session));
    this.#hosts.set(session, host);
    return sessions;
  }

  /** A packet of the session was authentic. */
  touch(session: DatagramSession): void {
    if (!this.#sessions.delete(session.localName)) return;
    this.#sessions.set(session.localName, session);
    this.#unproven.delete(session);
    const sessions = this.#byHost.get(this.#hosts.get(session) ?? '');
    if (sessions?.delete(session)) sessions.add(session);
  }

  /** @returns false when it was not there */
  delete(session: DatagramSession): boolean {
    if (!this.#sessions.delete(session.localName)) return false;
    this.#unproven.delete(session);
    const host = this.#hosts.get(session) ?? '';
    const sessions = this.#byHost.get(host);
    sessions?.delete(session);
    if (sessions?.size === 0) this.#byHost.delete(host);
    return true;
  }
}

/**
 * Recordings go first, so that they cannot push out who is known to be there. One place is lent to the newest of them: somebody who
 * came with IK proves itself with its next packet.
 */
function leastWorthy(sessions: Set<DatagramSession>, newest: DatagramSession): DatagramSession | undefined {
  let oldest: DatagramSession | undefined;
  for (const session of sessions) {
    if (session === newest) continue;
    if (!session.isProven) return session;
    oldest ??= session;
  }
  return oldest;
}
