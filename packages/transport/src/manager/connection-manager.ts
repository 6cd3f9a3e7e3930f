import type { PeerId } from '@nzcore/identity';
import { type AddressBook, type AddressBookStore, createAddressBook } from '../address/address-book.ts';
import type { ByteConnection } from '../byte-connection.ts';
import type { Connection, OpenStreamOptions } from '../connection/connection.ts';
import type { Upgrader } from '../connection/upgrader.ts';
import { TransportError } from '../errors.ts';
import type { SignalOptions, Stream } from '../mux/stream.ts';
import { type Clock, type Random, systemClock } from '../time/clock.ts';
import { abandonable } from '../time/deadline.ts';
import { createTimerWheel, type TimerWheel } from '../time/timer-wheel.ts';
import type { Listener, Transport } from '../transport.ts';
import { createAcceptor } from './acceptor.ts';
import {
  type AdmissionControl,
  type ConnectionLimits,
  createAdmissionControl,
  resolveLimits,
} from './admission.ts';
import type { BackOffOptions } from './back-off.ts';
import { type Bans, createBans } from './bans.ts';
import { type Closing, createClosing } from './closing.ts';
import type { DialPolicy } from './dial-order.ts';
import { createDialler, type Dialler, parseTarget } from './dialler.ts';
import type { KeepAliveOptions } from './keep-alive.ts';
import { createReconnector, type Reconnector } from './reconnector.ts';
import { createRoster, type Roster } from './roster.ts';
import { createStreamRouter, type ProtocolHandler, type StreamRouter } from './stream-router.ts';
import type { OnTransportEvent } from './transport-event.ts';

/** What a connection manager is made of. */
export interface ConnectionManagerOptions {
  readonly localPeer: PeerId;
  readonly upgrader: Upgrader;
  /** In order of preference. */
  readonly transports: readonly Transport[];
  /** Where the address book is kept; without it, in memory only. */
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
  /** Accepts loopback and link-local addresses from strangers, for tests on one machine. @defaultValue false */
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
  /** Bans a PeerId, IP address or network (`192.0.2.0/24`) and drops its connections. */
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

class PeerConnections implements ConnectionManager {
  readonly localPeer: PeerId;
  readonly addressBook: AddressBook;
  readonly bans: Bans;
  readonly #options: ConnectionManagerOptions;
  readonly #emit: OnTransportEvent;
  readonly #wheel: TimerWheel;
  readonly #router: StreamRouter;
  readonly #admission: AdmissionControl;
  readonly #roster: Roster;
  readonly #dialler: Dialler;
  readonly #reconnector: Reconnector;
  readonly #accept: (bytes: ByteConnection) => void;
  readonly #listeners = new Set<Listener>();
  readonly #priorities = new Map<PeerId, number>();
  readonly #closing: Closing = createClosing();
  #loading: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: ConnectionManagerOptions) {
    const { clock = systemClock, random = Math.random, onEvent = (): void => {} } = options;
    this.#options = options;
    this.#emit = onEvent;
    this.localPeer = options.localPeer;
    this.bans = createBans(clock);
    this.addressBook = createAddressBook({
      clock,
      random,
      allowLocal: options.allowLocalAddresses ?? false,
      onError: (error) => onEvent({ type: 'address-book-failed', error }),
      ...(options.store ? { store: options.store } : {}),
    });
    this.#wheel = createTimerWheel({ clock });
    this.#router = createStreamRouter(onEvent);
    for (const [protocol, handler] of Object.entries(options.protocols ?? {})) this.handle(protocol, handler);
    const limits = resolveLimits(options.limits);
    this.#admission = createAdmissionControl(limits, clock);
    this.#reconnector = this.#createReconnector(random);
    this.#roster = createRoster({
      localPeer: options.localPeer,
      limits,
      bans: this.bans,
      admission: this.#admission,
      clock,
      wheel: this.#wheel,
      random,
      keepAlive: options.keepAlive ?? {},
      priorityOf: (peer) => this.#priorityOf(peer),
      emit: onEvent,
      closing: this.#closing,
      onConnection: (connection) => {
        this.#router.admit(connection);
        this.#dialler.satisfy(connection);
      },
      onPeerConnected: (peer) => this.#reconnector.connected(peer),
      onPeerDisconnected: (peer) => this.#reconnector.disconnected(peer),
    });
    const shared = {
      upgrader: options.upgrader,
      bans: this.bans,
      wheel: this.#wheel,
      onStream: this.#router.onStream,
      emit: onEvent,
      closing: this.#closing,
    };
    this.#dialler = createDialler({
      ...shared,
      transports: options.transports,
      addressBook: this.addressBook,
      policy: options.dialPolicy ?? {},
      limits,
      clock,
      dialTimeout: options.dialTimeout ?? 10_000,
      enroll: (connection) => this.#roster.enroll(connection),
    });
    this.#accept = createAcceptor({
      ...shared,
      admission: this.#admission,
      maxPending: limits.maxPendingInbound,
      handshakeTimeout: options.handshakeTimeout ?? 10_000,
      enroll: (connection, admission) => this.#roster.enroll(connection, admission),
    });
  }

  get listenAddresses(): readonly string[] {
    return [...this.#listeners].flatMap(({ addresses }) => addresses);
  }

  async listen(address: string, options: SignalOptions = {}): Promise<readonly string[]> {
    this.#assertOpen();
    const transport = this.#options.transports.find((one) => one.canListen(address));
    if (!transport) throw new TransportError('LISTEN_FAILED', `no transport listens on ${address}`);
    const listener = await transport.listen(address, {
      ...options,
      onConnection: this.#accept,
      onError: (error) => this.#emit({ type: 'listener-failed', address, error }),
    });
    if (this.#closing.reason) {
      await listener[Symbol.asyncDispose]();
      throw this.#closing.reason;
    }
    this.#listeners.add(listener);
    for (const bound of listener.addresses) this.#emit({ type: 'listening', address: bound });
    return listener.addresses;
  }

  async connect(target: string, { signal }: SignalOptions = {}): Promise<Connection> {
    signal?.throwIfAborted();
    this.#assertOpen();
    const dialTarget = parseTarget(target);
    const { peer } = dialTarget;
    if (peer === this.localPeer) throw new TransportError('DIAL_FAILED', 'a peer does not dial itself');
    if (peer !== undefined && this.bans.isPeerBanned(peer)) {
      throw new TransportError('BANNED', 'the peer is banned');
    }
    const pooled = peer === undefined ? undefined : this.#roster.pool.best(peer);
    if (pooled) return pooled.connection;
    await abandonable(this.#load(), signal);
    this.#assertOpen();
    return this.#dialler.dial(dialTarget, signal);
  }

  async openStream(peer: PeerId, protocol: string, options: OpenStreamOptions = {}): Promise<Stream> {
    const { signal } = options;
    const connection = await this.connect(peer, signal ? { signal } : {});
    try {
      return await connection.openStream(protocol, options);
    } catch (error) {
      // It began to close after it was chosen: nothing of the stream was sent, and another connection can be had.
      if (connection.isOpen || !isGone(error)) throw error;
      const next = await this.connect(peer, signal ? { signal } : {});
      return next.openStream(protocol, options);
    }
  }

  handle(protocol: string, handler: ProtocolHandler): Disposable {
    return this.#router.handle(protocol, handler);
  }

  connectionTo(peer: PeerId): Connection | undefined {
    return this.#roster.pool.best(peer)?.connection;
  }

  connections(): readonly Connection[] {
    return this.#roster.pool.all().map(({ connection }) => connection);
  }

  keep(peer: PeerId): void {
    this.#assertOpen();
    this.#reconnector.keep(peer);
  }

  release(peer: PeerId): void {
    this.#reconnector.release(peer);
  }

  setPriority(peer: PeerId, priority: number): void {
    if (priority === 0) this.#priorities.delete(peer);
    else this.#priorities.set(peer, priority);
  }

  ban(target: string, until?: number): void {
    this.bans.ban(target, until);
    for (const connection of this.connections()) {
      const isBanned =
        this.bans.isPeerBanned(connection.remotePeer) || this.bans.isAddressBanned(connection.remoteAddress);
      if (isBanned) connection.abort(new TransportError('BANNED', 'the peer was banned'));
    }
  }

  unban(target: string): void {
    this.bans.unban(target);
  }

  accept(bytes: ByteConnection): void {
    this.#accept(bytes);
  }

  close({ signal }: SignalOptions = {}): Promise<void> {
    this.#closed ??= this.#close();
    const drop = (): void => {
      for (const connection of this.connections()) connection.abort(signal?.reason);
    };
    if (signal?.aborted) drop();
    signal?.addEventListener('abort', drop, { once: true });
    return this.#closed.finally(() => signal?.removeEventListener('abort', drop));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#closing.close(new TransportError('CLOSED', 'the connection manager is closed'));
    this.#reconnector[Symbol.dispose]();
    await Promise.allSettled([...this.#listeners].map((listener) => listener[Symbol.asyncDispose]()));
    this.#listeners.clear();
    await Promise.all(
      this.connections().map(async (connection) => {
        await connection.close().catch((error: unknown) => connection.abort(error as Error));
        await connection.closed;
      }),
    );
    this.#wheel[Symbol.dispose]();
    await this.addressBook.flush();
  }

  #createReconnector(random: Random): Reconnector {
    return createReconnector({
      wheel: this.#wheel,
      random,
      backOff: this.#options.backOff ?? {},
      connect: (peer) => this.connect(peer),
      isConnected: (peer) => this.connectionTo(peer) !== undefined,
      emit: this.#emit,
    });
  }

  #priorityOf(peer: PeerId): number {
    const priority = this.#priorities.get(peer) ?? 0;
    return this.#reconnector.isKept(peer) ? Math.max(1, priority) : priority;
  }

  /** Reads the address book once, when it is first needed. A store that fails is reported, and the book starts empty. */
  #load(): Promise<void> {
    this.#loading ??= this.addressBook.load().catch((error: unknown) => {
      this.#emit({ type: 'address-book-failed', error });
    });
    return this.#loading;
  }

  #assertOpen(): void {
    if (this.#closing.reason) throw this.#closing.reason;
  }
}

function isGone(error: unknown): boolean {
  const gone: readonly string[] = ['CONNECTION_CLOSED', 'CONNECTION_LOST', 'GOING_AWAY'];
  return error instanceof TransportError && gone.includes(error.code);
}
