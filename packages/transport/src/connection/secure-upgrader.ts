import type { LocalIdentity, RecordCipher } from '@nzcore/crypto/handshake';
import type { WireLimits } from '../mux/limits.ts';
import { type Clock, systemClock } from '../time/clock.ts';
import type { Connection } from './connection.ts';
import { upgradeInbound, upgradeOutbound } from './upgrade.ts';
import type { UpgradeOptions } from './upgrade-options.ts';
import type { Upgrader, UpgraderOptions } from './upgrader.ts';

/** What an upgrader is made of. */
export interface SecureUpgraderOptions {
  /** Gives the keys for one handshake: an `Identity` of `@nzcore/identity`. */
  readonly identity: { handshakeIdentity(now: number): LocalIdentity };
  /** 32 bytes that only members of a private network have; outsiders cannot even start a handshake. */
  readonly networkKey?: Uint8Array;
  readonly limits?: WireLimits;
  /** Names of optional behaviour, such as the compressions of messages; at most 31, without `resume`, which is offered with tickets. @defaultValue none */
  readonly features?: readonly string[];
  /** Most wanted first. @defaultValue the fastest on this runtime, then the others */
  readonly recordCiphers?: readonly RecordCipher[];
  /** Connections to known peers resume earlier ones: one key agreement instead of three or four. @defaultValue true */
  readonly isResuming?: boolean;
  /** Called when the remote side takes no new streams any more. */
  readonly onGoAway?: (connection: Connection) => void;
  readonly clock?: Clock;
}

/** The upgrader of the network: NZ-HANDSHAKE-01, NZ-CHANNEL-01 and NZ-WIRE-01 over any byte stream. */
export function createUpgrader(options: SecureUpgraderOptions): Upgrader {
  const { identity, networkKey, limits, features, recordCiphers, onGoAway } = options;
  const { isResuming = true, clock = systemClock } = options;
  const withKeys = (given: UpgraderOptions): UpgradeOptions => ({
    signal: given.signal,
    timers: given.timers,
    onStream: given.onStream,
    sharedMemory: given.sharedMemory,
    ...(given.tickets === undefined || !isResuming ? {} : { tickets: given.tickets }),
    // Asked for each time: the certificate is renewed while the peer runs.
    identity: identity.handshakeIdentity(clock.now()),
    wallClock: () => clock.now(),
    ...(networkKey === undefined ? {} : { networkKey }),
    ...(limits === undefined ? {} : { limits }),
    ...(features === undefined ? {} : { features }),
    ...(recordCiphers === undefined ? {} : { recordCiphers }),
    ...(onGoAway === undefined ? {} : { onGoAway }),
  });
  return {
    inbound: async (bytes, given) => upgradeInbound(bytes, withKeys(given)),
    outbound: async (bytes, given) =>
      upgradeOutbound(bytes, {
        ...withKeys(given),
        ...(given.expectedPeer === undefined ? {} : { expectedPeer: given.expectedPeer }),
        ...(given.remoteStaticKey === undefined ? {} : { remoteStaticKey: given.remoteStaticKey }),
      }),
  };
}
