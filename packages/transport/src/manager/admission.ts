import { createHostRate, limitKeys } from '../host-rate.ts';
import type { Clock } from '../time/clock.ts';

/** How many connections may exist. Each is a bound against one kind of exhaustion. */
export interface ConnectionLimits {
  /** Connections in all. @defaultValue 1,024 */
  readonly maxConnections?: number;
  /** Of them inbound: the rest is kept for connections that this peer chooses itself. @defaultValue 80 % of them */
  readonly maxInbound?: number;
  /** Inbound connections whose handshake is not over; above it the oldest of them is given up. @defaultValue 256 */
  readonly maxPendingInbound?: number;
  /** Dials that are under way. @defaultValue 256 */
  readonly maxPendingOutbound?: number;
  /** Inbound from one IPv4 address or IPv6 /64, handshakes included; loopback is exempt. @defaultValue 32 */
  readonly maxPerHost?: number;
  /** Inbound from one IPv4 /24 or IPv6 /48, handshakes included; loopback is exempt. @defaultValue 128 */
  readonly maxPerSubnet?: number;
  /**
   * New inbound connections a second from one host, after a burst of four times as many; loopback is exempt. One whose other end
   * breaks the protocol counts as five. @defaultValue 16
   */
  readonly maxRatePerHost?: number;
  /** Open at once to one peer while it is decided which one stays. @defaultValue 4 */
  readonly maxPerPeer?: number;
  /**
   * Bytes of memory that all peers together can make this one hold: messages, data that nobody has read, answers that nobody takes, open streams.
   * The memory for them is at most twice that, since a chunk may lie in a record of twice its size. Beside it each connection may hold 384 KiB, and
   * 256 KiB that its socket has not taken. @defaultValue 48 MiB
   */
  readonly maxHeldBytes?: number;
}

/** What a connection costs beside itself when it has to be thrown out: three a second can be, and who is honest behind the same address still comes in. */
const VIOLATION = 4;

export type ResolvedConnectionLimits = Required<ConnectionLimits>;

/** Fills in the defaults. */
export function resolveLimits(limits: ConnectionLimits = {}): ResolvedConnectionLimits {
  const maxConnections = limits.maxConnections ?? 1_024;
  return {
    maxInbound: Math.floor(maxConnections * 0.8),
    maxPendingInbound: 256,
    maxPendingOutbound: 256,
    maxPerHost: 32,
    maxPerSubnet: 128,
    maxRatePerHost: 16,
    maxPerPeer: 4,
    maxHeldBytes: 48 * 1024 * 1024,
    ...limits,
    maxConnections,
  };
}

/** Why an inbound connection was refused before anything was read from it. */
export type RefusalReason = 'host' | 'subnet' | 'rate' | 'banned' | 'closing';

/** A counted inbound connection. */
export interface Admission {
  /** The handshake is over. Idempotent. */
  established(): void;
  /** The connection is gone. Idempotent; implies `established`. */
  release(): void;
}

export interface AdmissionControl {
  /** Counts a new inbound connection, or says why it may not come in. */
  admit(remoteAddress: string): Admission | RefusalReason;
  /** The other end of a connection from there broke the protocol: it counts as some more of its host's. */
  blame(remoteAddress: string): void;
  /** Inbound connections from the same subnet, for pruning; 0 for addresses without an IP. */
  groupSize(remoteAddress: string): number;
  /** Admitted connections whose handshake is not over. */
  readonly pending: number;
}

/** Bounds inbound connections by where they come from. Every map here shrinks with the connections it counts. */
export function createAdmissionControl(limits: ResolvedConnectionLimits, clock: Clock): AdmissionControl {
  const hosts = new Map<string, number>();
  const subnets = new Map<string, number>();
  const rate = createHostRate(limits.maxRatePerHost, clock);
  let pending = 0;

  function admit(remoteAddress: string): Admission | RefusalReason {
    const keys = limitKeys(remoteAddress);
    if (keys) {
      if ((hosts.get(keys.host) ?? 0) >= limits.maxPerHost) return 'host';
      if ((subnets.get(keys.subnet) ?? 0) >= limits.maxPerSubnet) return 'subnet';
      if (!rate.take(remoteAddress)) return 'rate';
      add(hosts, keys.host, 1);
      add(subnets, keys.subnet, 1);
    }
    pending++;
    let isPending = true;
    let isCounted = true;
    const established = (): void => {
      if (isPending) pending--;
      isPending = false;
    };
    const release = (): void => {
      established();
      if (keys && isCounted) {
        add(hosts, keys.host, -1);
        add(subnets, keys.subnet, -1);
      }
      isCounted = false;
    };
    return { established, release };
  }

  return {
    admit,
    blame: (remoteAddress) => rate.charge(remoteAddress, VIOLATION),
    groupSize: (remoteAddress) => subnets.get(limitKeys(remoteAddress)?.subnet ?? '') ?? 0,
    get pending(): number {
      return pending;
    },
  };
}

function add(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
