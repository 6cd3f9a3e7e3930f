import type { PeerId } from '@nzcore/identity';
import type { AddressBook, AddressBookStore } from '../address/address-book.ts';
import type { ByteConnection } from '../byte-connection.ts';
import type { Connection, OpenStreamOptions } from '../connection/connection.ts';
import type { Upgrader } from '../connection/upgrader.ts';
import type { SignalOptions, Stream } from '../mux/stream.ts';
import type { Clock, Random } from '../time/clock.ts';
import type { Transport } from '../transport.ts';
import type { ConnectionLimits } from './admission.ts';
import type { BackOffOptions } from './back-off.ts';
import type { Bans } from './bans.ts';
import type { DialPolicy } from './dial-order.ts';
import type { KeepAliveOptions } from './keep-alive.ts';
import { PeerConnections } from './peer-connections.ts';
import type { ProtocolHandler } from './stream-router.ts';
import type { OnTransportEvent } from './transport-event.ts';

/** What a connection manager is made of. */
export interface ConnectionManagerOptions {
  readonly localPeer: PeerId;
  readonly upgrader: Upgrader;
  /** In order of preference. */
  readonly transports: readonly Transport[];
  /** Where the address book and the bans are kept; without it, in memory only. */
  readonly store?: AddressBookStore;
  /** Handlers by protocol name, as `handle` adds them. */
  readonly protocols?: Readonly<Record<string, ProtocolHandler>>;
  readonly limits?: ConnectionLimits;
  readonly dialPolicy?: DialPolicy;
  readonly keepAlive?: KeepAliveOptions;
  readonly backOff?: BackOffOptions;
  /** Milliseconds for one address: connecting and handshake together. @defaultValue 10,000 */
  readonly dialTimeout?: number;
  /** Milliseconds in which an accepted connection must have finished its handshake. @defaultValue 10,000 */
  readonly handshakeTimeout?: number;
  /** Accepts private, link-local and loopback addresses from anybody, for tests on one machine. @defaultValue false */
  readonly allowLocalAddresses?: boolean;
  readonly onEvent?: OnTransportEvent;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A peer's connections: one call gives a stream to a PeerId. */
export interface ConnectionManager extends AsyncDisposable {
  readonly localPeer: PeerId;
  readonly addressBook: AddressBook;
  readonly bans: Bans;
  /** Bound addresses of all listeners, without `/p2p`. */
  readonly listenAddresses: readonly string[];
  /**
   * Accepts connections at a multiaddr.
   * @returns the bound addresses
   * @throws TransportError `LISTEN_FAILED`, `CLOSED`
   */
  listen(address: string, options?: SignalOptions): Promise<readonly string[]>;
  /**
   * Gives the connection to a peer, dialling it if there is none.
   * @param target - PeerId, or multiaddr text; without `/p2p` whoever answers there is taken
   * @throws TransportError `NO_ADDRESS`, `DIAL_FAILED`, `PEER_MISMATCH`, `BANNED`, `LIMIT_EXCEEDED`, `CLOSED` and those of the upgrade
   */
  connect(target: string, options?: SignalOptions): Promise<Connection>;
  /** Opens a stream to a peer, connecting if need be. @throws as `connect` and `Connection.openStream` */
  openStream(peer: PeerId, protocol: string, options?: OpenStreamOptions): Promise<Stream>;
  /** Serves a protocol until the result is disposed of. @throws TypeError when it has a handler */
  handle(protocol: string, handler: ProtocolHandler): Disposable;
  /** The connection that `openStream` would use now. */
  connectionTo(peer: PeerId): Connection | undefined;
  connections(): readonly Connection[];
  /** Stays connected to the peer: dials now and after every loss, with back-off, and prunes it last. */
  keep(peer: PeerId): void;
  /** Undoes `keep`; the connection stays. */
  release(peer: PeerId): void;
  /** Worth of a peer when connections must be given up; kept peers have at least 1. @defaultValue 0 */
  setPriority(peer: PeerId, priority: number): void;
  /** Bans a PeerId, IP address or network (`192.0.2.0/24`) and drops its connections. Bans are stored. @throws as `Bans.ban` */
  ban(target: string, until?: number): void;
  unban(target: string): void;
  /** Takes a byte stream that the other side started, from a source that is no listener (hole punching, relays). */
  accept(bytes: ByteConnection): void;
  /** Stops listening and dialling, says goodbye to every peer and lets streams end. An abort of the signal drops what is left. */
  close(options?: SignalOptions): Promise<void>;
}

/** Creates a connection manager; nothing happens before `listen`, `connect` or `keep`. */
export function createConnectionManager(options: ConnectionManagerOptions): ConnectionManager {
  return new PeerConnections(options);
}
