import type { PeerId } from '@nzcore/identity';
import { type AddressBook, createAddressBook } from '../address/address-book.ts';
import type { ByteConnection } from '../byte-connection.ts';
import type { Connection, OpenStreamOptions } from '../connection/connection.ts';
import { TransportError } from '../errors.ts';
import { createSharedMemory } from '../messages/shared-memory.ts';
import type { SignalOptions, Stream } from '../mux/stream.ts';
import { callOwner } from '../owner-hook.ts';
import { type Random, systemClock } from '../time/clock.ts';
import { abandonable } from '../time/deadline.ts';
import { createTimerWheel, type TimerWheel } from '../time/timer-wheel.ts';
import type { Listener } from '../transport.ts';
import { createAcceptor } from './acceptor.ts';
import { type Admission, type AdmissionControl, createAdmissionControl, resolveLimits } from './admission.ts';
import { type Bans, createBans } from './bans.ts';
import { type Closing, createClosing } from './closing.ts';
import type { ConnectionManager, ConnectionManagerOptions } from './connection-manager.ts';
import { createDialler, type Dialler, parseTarget } from './dialler.ts';
import { createReconnector, type Reconnector } from './reconnector.ts';
import { createRoster, type Roster } from './roster.ts';
import { createStreamRouter, type ProtocolHandler, type StreamRouter } from './stream-router.ts';
import { createTicketKeeper, type TicketKeeper } from './ticket-keeper.ts';
import type { OnTransportEvent } from './transport-event.ts';

/** Ties together what keeps a peer's connections: listeners, dialler, roster, reconnector, address book and bans. */
export class PeerConnections implements ConnectionManager {
  readonly localPeer: PeerId;
  readonly addressBook: AddressBook;
  readonly bans: Bans;
  readonly #options: ConnectionManagerOptions;
  readonly #emit: OnTransportEvent;
  readonly #wheel: TimerWheel;
  readonly #ticketKeeper: TicketKeeper;
  readonly #router: StreamRouter;
  readonly #admission: AdmissionControl;
  readonly #roster: Roster;
  readonly #dialler: Dialler;
  readonly #reconnector: Reconnector;
  readonly #accept: (bytes: ByteConnection) => void;
  readonly #listeners = new Set<Listener>();
  readonly #priorities = new Map<PeerId, number>();
  readonly #closing: Closing = createClosing();
  #loadingBook: Promise<void> | undefined;
  #loadingBans: Promise<void> | undefined;
  /** Without a store there is nothing to wait for. */
  #areBansLoaded: boolean;
  #closed: Promise<void> | undefined;

  constructor(options: ConnectionManagerOptions) {
    const { clock = systemClock, random = Math.random } = options;
    const onEvent: OnTransportEvent = (event) => callOwner(options.onEvent, event);
    this.#options = options;
    this.#emit = onEvent;
    this.localPeer = options.localPeer;
    this.#areBansLoaded = options.store === undefined;
    this.bans = createBans({
      clock,
      store: options.store,
      onError: (error) => onEvent({ type: 'bans-failed', error }),
    });
    this.addressBook = createAddressBook({
      clock,
      random,
      allowLocal: options.allowLocalAddresses ?? false,
      onError: (error) => onEvent({ type: 'address-book-failed', error }),
      ...(options.store ? { store: options.store } : {}),
    });
    this.#wheel = createTimerWheel({ clock });
    this.#ticketKeeper = createTicketKeeper(clock);
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
    const enroll = (connection: Connection, admission?: Admission): void => {
      // Also of one that is refused: its handshake has left tickets.
      this.#ticketKeeper.watch();
      this.#roster.enroll(connection, admission);
    };
    const shared = {
      upgrader: options.upgrader,
      bans: this.bans,
      wheel: this.#wheel,
      onStream: this.#router.onStream,
      sharedMemory: createSharedMemory(limits.maxHeldBytes),
      tickets: this.#ticketKeeper.tickets,
      emit: onEvent,
      closing: this.#closing,
      enroll,
    };
    this.#dialler = createDialler({
      ...shared,
      transports: options.transports,
      addressBook: this.addressBook,
      policy: options.dialPolicy ?? {},
      limits,
      clock,
      dialTimeout: options.dialTimeout ?? 10_000,
    });
    this.#accept = createAcceptor({
      ...shared,
      admission: this.#admission,
      maxPending: limits.maxPendingInbound,
      handshakeTimeout: options.handshakeTimeout ?? 10_000,
    });
  }

  get listenAddresses(): readonly string[] {
    return [...this.#listeners].flatMap(({ addresses }) => addresses);
  }

  async listen(address: string, options: SignalOptions = {}): Promise<readonly string[]> {
    this.#assertOpen();
    const transport = this.#options.transports.find((one) => one.canListen(address));
    if (!transport) throw new TransportError('LISTEN_FAILED', `no transport listens on ${address}`);
    // Whoever is banned must not come in meanwhile.
    await abandonable(this.#loadBans(), options.signal);
    this.#assertOpen();
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
    const pooled = peer === undefined ? undefined : this.#roster.pool.best(peer);
    if (pooled) return pooled.connection;
    await abandonable(this.#load(), signal);
    this.#assertOpen();
    if (peer !== undefined && this.bans.isPeerBanned(peer)) {
      throw new TransportError('BANNED', 'the peer is banned');
    }
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
    if (this.#areBansLoaded) this.#accept(bytes);
    else void this.#loadBans().then(() => this.#accept(bytes));
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
    this.#ticketKeeper[Symbol.dispose]();
    await Promise.all([this.addressBook.flush(), this.bans.flush()]);
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

  /** Reads bans and address book once, when they are first needed. A store that fails is reported, and they start empty. */
  async #load(): Promise<void> {
    this.#loadingBook ??= this.addressBook.load().catch((error: unknown) => {
      this.#emit({ type: 'address-book-failed', error });
    });
    await Promise.all([this.#loadBans(), this.#loadingBook]);
  }

  #loadBans(): Promise<void> {
    this.#loadingBans ??= this.bans
      .load()
      .catch((error: unknown) => this.#emit({ type: 'bans-failed', error }))
      .then(() => {
        this.#areBansLoaded = true;
      });
    return this.#loadingBans;
  }

  #assertOpen(): void {
    if (this.#closing.reason) throw this.#closing.reason;
  }
}

function isGone(error: unknown): boolean {
  const gone: readonly string[] = ['CONNECTION_CLOSED', 'CONNECTION_LOST', 'GOING_AWAY'];
  return error instanceof TransportError && gone.includes(error.code);
}
