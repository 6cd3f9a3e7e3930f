import type { PeerId } from '@nzcore/identity';
import type { Connection } from './connection.ts';
import type { WireLimits } from './limits.ts';
import type { SignalOptions, Stream } from './stream.ts';
import type { Timers } from './timers.ts';

/** Takes over a stream that the remote side opened. Called in the read's call stack; a sink set in it gets the first bytes without a copy. */
export type StreamHandler = (stream: Stream) => void;

export interface UpgradeOptions<Identity> extends SignalOptions {
  /** This peer's keys, as `identity.handshakeIdentity(now)` gives them. */
  readonly identity: Identity;
  /** 32 bytes that only members of a private network have. */
  readonly networkKey?: Uint8Array;
  /** Gets every stream that the remote side opens. Without it, all are reset with `unsupportedProtocol`. */
  readonly onStream?: StreamHandler;
  /** Called when the connection begins to drain because the remote side said so. */
  readonly onGoAway?: (connection: Connection) => void;
  readonly limits?: WireLimits;
  /** Shared timers. @defaultValue timers of the connection's own */
  readonly timers?: Timers;
}

export interface OutboundUpgradeOptions<Identity> extends UpgradeOptions<Identity> {
  /** Who must answer. Anybody else: `PEER_MISMATCH`. */
  readonly expectedPeer?: PeerId;
  /** Static key known from an earlier connection: one round trip less. 32 bytes. */
  readonly remoteStaticKey?: Uint8Array;
}
