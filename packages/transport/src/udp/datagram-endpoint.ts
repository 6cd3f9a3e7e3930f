import { randomBytes } from '@nzcore/crypto';
import type { LocalIdentity } from '@nzcore/crypto/handshake';
import type { PeerId } from '@nzcore/identity';
import { parseAddress } from '../address/address.ts';
import { TransportError } from '../errors.ts';
import { callOwner } from '../owner-hook.ts';
import { type Clock, systemClock } from '../time/clock.ts';
import { createTimerWheel, type TimerWheel } from '../time/timer-wheel.ts';
import { DatagramClient } from './datagram-client.ts';
import { decodePacket, type Exchange, MAX_PACKET } from './datagram-packet.ts';
import { DatagramResponder } from './datagram-responder.ts';
import { type DatagramSession, MAX_CONTENT } from './datagram-session.ts';
import { SessionTable } from './session-table.ts';

/** A request that arrived; answered with at most {@link MAX_CONTENT} bytes. */
export interface DatagramRequest {
  readonly peer: PeerId;
  /** Multiaddr text of where it came from. */
  readonly address: string;
  /** Up to 1,150 bytes in fresh memory. */
  readonly content: Uint8Array;
  /**
   * It came within the first message of a handshake, and may be a recording of an earlier one. Only requests that their sender called
   * repeatable come that way.
   */
  readonly isReplayable: boolean;
}

/** Answers a request; undefined refuses it, and so does an exception. */
export type DatagramRequestHandler = (
  request: DatagramRequest,
) => Uint8Array | undefined | Promise<Uint8Array | undefined>;

/** What a datagram endpoint tells its owner. What the hook throws changes nothing; it is written to the console. */
export type DatagramEvent =
  | {
      readonly type: 'session-opened';
      readonly peer: PeerId;
      readonly address: string;
      readonly direction: 'inbound' | 'outbound';
    }
  | { readonly type: 'session-closed'; readonly peer: PeerId; readonly address: string }
  | { readonly type: 'datagram-dropped'; readonly address: string; readonly reason: DropReason }
  /** The system did not take a packet (no route, no permission); it counts as lost. */
  | { readonly type: 'send-failed'; readonly address: string; readonly error: unknown }
  | { readonly type: 'handler-failed'; readonly peer: PeerId; readonly error: unknown };

/** Why a datagram was dropped: it is no packet, of no session, not authentic, or one too many. */
export type DropReason = 'malformed' | 'unknown-session' | 'not-authentic' | 'rate' | 'refused';

/** What strangers and peers can make an endpoint do and remember, NZ-DATAGRAM-01 §5. */
export interface DatagramLimits {
  /** Sessions that are kept; the longest unused goes first. @defaultValue 4,096 */
  readonly maxSessions?: number;
  /** Of them, those that one IPv4 address or IPv6 /64 opened; its own longest unused goes. Loopback is exempt. @defaultValue 64 */
  readonly maxSessionsPerHost?: number;
  /** Handshakes that wait for their last message. @defaultValue 512 */
  readonly maxPendingHandshakes?: number;
  /** Handshakes a second from one host, after a burst of four times as many. @defaultValue 16 */
  readonly handshakesPerHost?: number;
  /** Handshakes a second in all, after a burst of twice as many: each costs about a millisecond. @defaultValue 200 */
  readonly handshakesInAll?: number;
  /** Requests a second of one session, after a burst of twice as many. @defaultValue 200 */
  readonly requestsPerSession?: number;
  /** Requests of this side that wait for an answer. @defaultValue 4,096 */
  readonly maxPendingRequests?: number;
}

/** What an endpoint is made of. */
export interface DatagramEndpointOptions {
  /** An `Identity` of `@nzcore/identity`. */
  readonly identity: { readonly peerId: PeerId; handshakeIdentity(now: number): LocalIdentity };
  /** Sends a packet to multiaddr text; may lose it, must not throw. */
  readonly send: (packet: Uint8Array, address: string) => void;
  /** Without it every request is refused. */
  readonly onRequest?: DatagramRequestHandler;
  readonly networkKey?: Uint8Array;
  /** Static keys that peers proved earlier, for a request within the first packet: the address book has them. */
  readonly staticKeyOf?: (peer: PeerId) => Uint8Array | undefined;
  readonly onStaticKey?: (peer: PeerId, address: string, staticKey: Uint8Array) => void;
  /** Says false for peers that are not spoken with. */
  readonly isAllowed?: (peer: PeerId) => boolean;
  readonly limits?: DatagramLimits;
  readonly onEvent?: (event: DatagramEvent) => void;
  readonly clock?: Clock;
}

/** How one request is sent. */
export interface DatagramRequestOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds until it fails with `REQUEST_TIMEOUT`. @defaultValue 5,000 */
  readonly timeout?: number;
  /**
   * The request may run more than once: it is sent in the first packet of a handshake, where somebody may replay it, and again in a new
   * session when the old one was lost. Otherwise it runs at most once, and waits for a round trip first.
   * @defaultValue false
   */
  readonly isRepeatable?: boolean;
}

/** Secure requests of up to one packet each way, over datagrams that may be lost, repeated and reordered. */
export interface DatagramEndpoint extends AsyncDisposable {
  /**
   * Asks a peer at an address (multiaddr text `/ip4/…/udp/…`).
   * @param content - up to 1,150 bytes; copied
   * @throws RangeError for more; TransportError `REQUEST_TIMEOUT`, `REQUEST_FAILED` (refused), `PEER_MISMATCH`, `HANDSHAKE_FAILED`,
   * `LIMIT_EXCEEDED`, `CLOSED`; the signal's reason
   */
  request(
    peer: PeerId,
    address: string,
    content: Uint8Array,
    options?: DatagramRequestOptions,
  ): Promise<Uint8Array>;
  /** Takes a packet that arrived; borrowed. Never throws. */
  receive(packet: Uint8Array, address: string): void;
  readonly sessions: number;
}

/** Everything that client and responder share. */
export interface EndpointContext {
  readonly options: DatagramEndpointOptions;
  readonly limits: Required<DatagramLimits>;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly emit: (event: DatagramEvent) => void;
  readonly newName: () => Uint8Array;
  enroll(session: DatagramSession, direction: 'inbound' | 'outbound'): void;
  drop(session: DatagramSession): void;
  session(name: string): DatagramSession | undefined;
}

/** Milliseconds: repetitions start at half a second, so that a coarser wheel would be felt. */
const WHEEL_TICK = 50;

/** Creates an endpoint over any way of sending datagrams; `openUdpEndpoint` of `./udp` has sockets. */
export function createDatagramEndpoint(options: DatagramEndpointOptions): DatagramEndpoint {
  return new Endpoint(options);
}

/** What the owner gave is called by timers and by packets of strangers. */
function guarded(options: DatagramEndpointOptions): DatagramEndpointOptions {
  return {
    ...options,
    send: (packet, address) => callOwner(options.send, packet, address),
    onStaticKey: (peer, address, staticKey) => callOwner(options.onStaticKey, peer, address, staticKey),
  };
}

class Endpoint implements DatagramEndpoint, EndpointContext {
  readonly options: DatagramEndpointOptions;
  readonly limits: Required<DatagramLimits>;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly emit: (event: DatagramEvent) => void;
  readonly #sessions: SessionTable;
  readonly #client: DatagramClient;
  readonly #responder: DatagramResponder;
  #isClosed = false;

  constructor(options: DatagramEndpointOptions) {
    this.options = guarded(options);
    this.clock = options.clock ?? systemClock;
    this.wheel = createTimerWheel({ clock: this.clock, tick: WHEEL_TICK });
    this.emit = (event) => callOwner(options.onEvent, event);
    this.limits = {
      maxSessions: 4_096,
      maxSessionsPerHost: 64,
      maxPendingHandshakes: 512,
      handshakesPerHost: 16,
      handshakesInAll: 200,
      requestsPerSession: 200,
      maxPendingRequests: 4_096,
      ...options.limits,
    };
    this.#sessions = new SessionTable(this.limits);
    this.#client = new DatagramClient(this);
    this.#responder = new DatagramResponder(this);
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  async request(
    peer: PeerId,
    address: string,
    content: Uint8Array,
    options: DatagramRequestOptions = {},
  ): Promise<Uint8Array> {
    options.signal?.throwIfAborted();
    if (this.#isClosed) throw new TransportError('CLOSED', 'the endpoint is closed');
    if (!parseAddress(address).ip)
      throw new TransportError('INVALID_ADDRESS', 'a datagram goes to an IP address');
    if (content.length > MAX_CONTENT) throw new RangeError(`a request has at most ${MAX_CONTENT} bytes`);
    return this.#client.request(peer, address, new Uint8Array(content), options);
  }

  receive(bytes: Uint8Array, address: string): void {
    if (this.#isClosed) return;
    const packet = bytes.length <= MAX_PACKET ? decodePacket(bytes) : undefined;
    if (!packet) this.#dropped(address, 'malformed');
    else if (packet.type === 'data') this.#receiveData(packet.receiver, packet.datagram, address);
    else if (packet.type === 'hello') this.#responder.receiveHello(packet.sender, packet.message, address);
    else if (this.#client.isWaiting(packet.receiver)) {
      this.#client.receiveHandshake(packet.receiver, packet.sender, packet.message, address);
    } else this.#responder.receiveHandshake(packet.receiver, packet.message, address);
  }

  #receiveData(name: string, datagram: Uint8Array, address: string): void {
    const session = this.#sessions.get(name);
    if (!session || session.address !== address) {
      this.#dropped(address, 'unknown-session');
      return;
    }
    const exchange = session.open(datagram);
    if (exchange === 'not-authentic') {
      this.#dropped(address, exchange);
      return;
    }
    this.#sessions.touch(session);
    if (exchange) this.#receiveExchange(session, exchange, address);
  }

  #receiveExchange(session: DatagramSession, exchange: Exchange, address: string): void {
    if (exchange.type !== 'request') this.#client.receiveAnswer(session, exchange);
    else if (session.takeToken()) this.#responder.receiveRequest(session, exchange, false);
    else this.#dropped(address, 'rate');
  }

  newName(): Uint8Array {
    return randomBytes(8);
  }

  session(name: string): DatagramSession | undefined {
    return this.#sessions.get(name);
  }

  enroll(session: DatagramSession, direction: 'inbound' | 'outbound'): void {
    const tooMany = this.#sessions.add(session, direction);
    this.emit({ type: 'session-opened', peer: session.peer, address: session.address, direction });
    if (tooMany) this.drop(tooMany);
  }

  drop(session: DatagramSession): void {
    if (!this.#sessions.delete(session)) return;
    session.close();
    this.#client.forget(session);
    this.#responder.forget(session);
    this.emit({ type: 'session-closed', peer: session.peer, address: session.address });
  }

  #dropped(address: string, reason: DropReason): void {
    this.emit({ type: 'datagram-dropped', address, reason });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#client.close();
    this.#responder.close();
    for (const session of this.#sessions.all()) this.drop(session);
    this.wheel[Symbol.dispose]();
  }
}
