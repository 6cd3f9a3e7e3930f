import type { TicketCache } from '@nzcore/crypto/handshake';
import type { PeerId } from '@nzcore/identity';
import type { ByteConnection } from '../byte-connection.ts';
import type { SharedMemory } from '../messages/shared-memory.ts';
import type { Timers } from '../time/timers.ts';
import type { Connection } from './connection.ts';
import type { StreamHandler } from './upgrade-options.ts';

/** What the connection manager gives to every upgrade. */
export interface UpgraderOptions {
  readonly signal: AbortSignal;
  readonly timers: Timers;
  readonly onStream: StreamHandler;
  /** What the message layers of all connections may hold together. */
  readonly sharedMemory?: SharedMemory | undefined;
  /** What is kept of earlier connections, to resume them. */
  readonly tickets?: TicketCache | undefined;
}

export interface OutboundUpgraderOptions extends UpgraderOptions {
  /** Who must answer; undefined takes whoever does. */
  readonly expectedPeer: PeerId | undefined;
  /** X25519 static key that the peer proved last; undefined for the longer handshake. */
  readonly remoteStaticKey: Uint8Array | undefined;
}

/** Makes authenticated connections of byte streams: the seam between the connection manager and the wire protocols. */
export interface Upgrader {
  /** @param bytes - may still be on its way, so that the handshake can be prepared in the meantime; it is destroyed on failure */
  outbound(
    bytes: ByteConnection | Promise<ByteConnection>,
    options: OutboundUpgraderOptions,
  ): Promise<Connection>;
  inbound(bytes: ByteConnection, options: UpgraderOptions): Promise<Connection>;
}
