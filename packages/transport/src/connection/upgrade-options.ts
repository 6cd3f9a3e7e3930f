import type { LocalIdentity, RecordCipher, TicketCache } from '@nzcore/crypto/handshake';
import type { PeerId } from '@nzcore/identity';
import type { SharedMemory } from '../messages/shared-memory.ts';
import type { WireLimits } from '../mux/limits.ts';
import type { SignalOptions, Stream } from '../mux/stream.ts';
import type { Timers } from '../time/timers.ts';
import type { Connection } from './connection.ts';

/**
 * Takes over a stream that the remote side opened. It is called in the read's call stack: a sink that it sets gets the first
 * bytes without a copy. It may be called before the promise of the upgrade resolves.
 */
export type StreamHandler = (stream: Stream) => void;

/** Options of both upgrades. */
export interface UpgradeOptions extends SignalOptions {
  /** This peer's keys, as `identity.handshakeIdentity(now)` gives them. Borrowed. */
  readonly identity: LocalIdentity;
  /** 32 bytes that only members of a private network have. */
  readonly networkKey?: Uint8Array;
  /** Gets every stream that the remote side opens. Without it, all are reset with `unsupportedProtocol`. */
  readonly onStream?: StreamHandler;
  /** Called when the remote side takes no new streams any more; those that are open go on. */
  readonly onGoAway?: (connection: Connection) => void;
  readonly limits?: WireLimits;
  /** Memory that several connections share for what they hold of their peers. @defaultValue only `limits.maxMessageBytes` and `limits.maxUnreadBytes` of each */
  readonly sharedMemory?: SharedMemory | undefined;
  /** Shared timers. @defaultValue timers of the connection's own */
  readonly timers?: Timers;
  /** Names of optional behaviour; what both sides name is in `connection.features`; at most 31, without `resume`, which is offered with tickets. @defaultValue none */
  readonly features?: readonly string[];
  /**
   * What is kept of earlier connections, in both directions: a dial of `expectedPeer` resumes with it, which takes one key agreement instead of
   * three. The owner disposes of it. @defaultValue none: nothing is resumed
   */
  readonly tickets?: TicketCache;
  /** Versions of NZ-WIRE-01 that are spoken. @defaultValue 1 to 2 */
  readonly versions?: { readonly min: number; readonly max: number };
  /** Most wanted first. @defaultValue the fastest on this runtime, then the others */
  readonly recordCiphers?: readonly RecordCipher[];
  /** Milliseconds since the epoch, for the expiry of certificates. @defaultValue `Date.now` */
  readonly wallClock?: () => number;
}

/** Options of {@link upgradeOutbound}. */
export interface OutboundUpgradeOptions extends UpgradeOptions {
  /** Who must answer; anybody else fails with `PEER_MISMATCH`. Undefined accepts whoever answers. */
  readonly expectedPeer?: PeerId;
  /** Static key known from an earlier connection (`remoteStaticKey`): a round trip less. 32 bytes. */
  readonly remoteStaticKey?: Uint8Array;
}
