import {
  createHandshake,
  type Handshake,
  HandshakeError,
  type HandshakeResult,
} from '@nzcore/crypto/handshake';
import { type PeerId, publicKeyFromPeerId } from '@nzcore/identity';
import { TransportError } from '../errors.ts';
import type { WheelTimer } from '../time/timer-wheel.ts';
import type { DatagramRequestOptions, EndpointContext } from './datagram-endpoint.ts';
import {
  type Exchange,
  encodeExchange,
  encodeHandshake,
  encodeHello,
  sessionName,
} from './datagram-packet.ts';
import { DatagramSession } from './datagram-session.ts';

/** Milliseconds until the first repetition; each further one waits twice as long. */
const FIRST_REPETITION = 500;
/** Milliseconds after which a new handshake is begun in place of one without an answer: before it expires by itself. */
const STALE_AFTER = 5_000;
/** Repetitions without any answer after which a session counts as lost on the other side. */
const LOST_AFTER = 2;

interface PendingRequest {
  readonly peer: PeerId;
  readonly address: string;
  readonly content: Uint8Array;
  readonly isRepeatable: boolean;
  readonly resolve: (content: Uint8Array) => void;
  readonly reject: (reason: unknown) => void;
  /** Where it was sent, once it was. */
  session: DatagramSession | undefined;
  number: number;
  repetitions: number;
  timers: WheelTimer[];
  repetition: WheelTimer | undefined;
}

/** A handshake under way, with all that wait for it. */
interface Opening {
  readonly key: string;
  readonly name: string;
  readonly peer: PeerId;
  readonly address: string;
  readonly handshake: Handshake;
  readonly hello: Uint8Array;
  /** The request within the hello. */
  readonly early: PendingRequest | undefined;
  readonly waiting: Set<PendingRequest>;
  /** Monotonic milliseconds. */
  readonly startedAt: number;
  received: number;
}

const keyOf = (peer: PeerId, address: string): string => `${peer}@${address}`;

/** The asking side: opens sessions, repeats what was not answered, and matches answers. */
export class DatagramClient {
  readonly #context: EndpointContext;
  readonly #openings = new Map<string, Opening>();
  readonly #openingsByName = new Map<string, Opening>();
  /** Names of the sessions that this side opened. */
  readonly #sessions = new Map<string, DatagramSession>();
  readonly #pending = new Set<PendingRequest>();

  constructor(context: EndpointContext) {
    this.#context = context;
  }

  request(
    peer: PeerId,
    address: string,
    content: Uint8Array,
    { signal, timeout = 5_000, isRepeatable = false }: DatagramRequestOptions,
  ): Promise<Uint8Array> {
    if (this.#pending.size >= this.#context.limits.maxPendingRequests) {
      return Promise.reject(new TransportError('LIMIT_EXCEEDED', 'too many requests wait for an answer'));
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => this.#settle(request, () => reject(signal?.reason));
      const unlisten = (): void => signal?.removeEventListener('abort', onAbort);
      const request: PendingRequest = {
        peer,
        address,
        content,
        isRepeatable,
        resolve: (answer) => {
          unlisten();
          resolve(answer);
        },
        reject: (reason) => {
          unlisten();
          reject(reason);
        },
        session: undefined,
        number: 0,
        repetitions: 0,
        timers: [],
        repetition: undefined,
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const late = (): void =>
        this.#fail(
          request,
          new TransportError('REQUEST_TIMEOUT', `no answer from ${address} within ${timeout} ms`),
        );
      request.timers.push(this.#context.wheel.schedule(timeout, late));
      this.#pending.add(request);
      this.#dispatch(request);
    });
  }

  isWaiting(name: string): boolean {
    return this.#openingsByName.has(name) || this.#sessionByName(name) !== undefined;
  }

  receiveHandshake(name: string, remoteName: string, message: Uint8Array, address: string): void {
    const opening = this.#openingsByName.get(name);
    if (!opening) {
      // The answer came twice: the last message of the handshake was lost.
      const session = this.#sessionByName(name);
      if (session?.finish && session.address === address) session.sendPacket(session.finish);
      return;
    }
    if (opening.address !== address) return;
    opening.received += message.length;
    try {
      const { reply, result } = opening.handshake.receive(message, this.#context.clock.now());
      const finish = reply && encodeHandshake(remoteName, name, reply);
      if (finish) this.#context.options.send(finish, address);
      if (result) this.#opened(opening, result, remoteName, finish);
    } catch (error) {
      this.#refused(opening, error);
    }
  }

  receiveAnswer(session: DatagramSession, { type, number, content }: Exchange): void {
    for (const request of this.#pending) {
      if (request.session !== session || request.number !== number) continue;
      if (type === 'response') this.#settle(request, () => request.resolve(content));
      else this.#fail(request, new TransportError('REQUEST_FAILED', 'the peer refused the request'));
      return;
    }
  }

  forget(session: DatagramSession): void {
    const key = keyOf(session.peer, session.address);
    if (this.#sessions.get(key) === session) this.#sessions.delete(key);
    for (const request of [...this.#pending]) {
      if (request.session === session) this.#lost(request);
    }
  }

  close(): void {
    for (const request of [...this.#pending]) {
      this.#fail(request, new TransportError('CLOSED', 'the endpoint is closed'));
    }
    for (const opening of [...this.#openings.values()]) this.#endOpening(opening);
  }

  #sessionByName(name: string): DatagramSession | undefined {
    const session = this.#context.session(name);
    return session && this.#sessions.get(keyOf(session.peer, session.address)) === session
      ? session
      : undefined;
  }

  #dispatch(request: PendingRequest): void {
    const key = keyOf(request.peer, request.address);
    const session = this.#sessions.get(key);
    if (session) this.#send(request, session);
    else {
      const opening = this.#openings.get(key);
      if (opening) opening.waiting.add(request);
      else this.#open(key, request);
      this.#repeatLater(request);
    }
  }

  #open(key: string, first: PendingRequest): void {
    const { options, clock, newName } = this.#context;
    const staticKey = options.staticKeyOf?.(first.peer);
    const base = {
      role: 'initiator' as const,
      identity: options.identity.handshakeIdentity(clock.now()),
      expectedIdentity: publicKeyFromPeerId(first.peer),
      ...(options.networkKey ? { networkKey: options.networkKey } : {}),
      ...(staticKey ? { remoteStaticKey: staticKey } : {}),
    };
    const name = sessionName(newName());
    const canBeEarly = staticKey !== undefined && first.isRepeatable;
    const earlyData = canBeEarly
      ? encodeExchange({ type: 'request', number: 1, content: first.content })
      : undefined;
    let handshake = createHandshake({ ...base, ...(earlyData ? { earlyData } : {}) });
    let hello = encodeHello(name, handshake.start(clock.now()));
    const isEarly = earlyData !== undefined && hello !== undefined;
    if (!hello) {
      // Too long together: the request follows in a packet of its own.
      handshake[Symbol.dispose]();
      handshake = createHandshake(base);
      hello = encodeHello(name, handshake.start(clock.now()))!;
    }
    const { peer, address } = first;
    const early = isEarly ? first : undefined;
    const opening: Opening = {
      key,
      name,
      peer,
      address,
      handshake,
      hello,
      early,
      waiting: new Set([first]),
      startedAt: this.#context.wheel.now(),
      received: 0,
    };
    this.#openings.set(key, opening);
    this.#openingsByName.set(name, opening);
    options.send(hello, address);
  }

  #opened(
    opening: Opening,
    result: HandshakeResult,
    remoteName: string,
    finish: Uint8Array | undefined,
  ): void {
    const { options, wheel, limits } = this.#context;
    this.#endOpening(opening);
    const session = new DatagramSession({
      result,
      peer: opening.peer,
      localName: opening.name,
      remoteName,
      address: opening.address,
      received: opening.received,
      sent: 0,
      // It answered from there with what only the peer can make.
      isProven: true,
      wheel,
      requestRate: limits.requestsPerSession,
      send: (packet) => options.send(packet, opening.address),
      onIdle: () => this.#context.drop(session),
    });
    session.finish = finish;
    options.onStaticKey?.(opening.peer, opening.address, result.remote.staticKey);
    this.#sessions.set(opening.key, session);
    this.#context.enroll(session, 'outbound');
    const isAccepted = result.pattern === 'IK';
    const firstNumber = session.nextNumber();
    for (const request of opening.waiting) {
      if (request !== opening.early || !isAccepted) this.#send(request, session);
      else {
        // Its answer is on the way; if it was lost, the same number is asked for again.
        request.session = session;
        request.number = firstNumber;
      }
    }
  }

  #send(request: PendingRequest, session: DatagramSession): void {
    if (request.session !== session) {
      request.session = session;
      request.number = session.nextNumber();
      request.repetitions = 0;
    }
    if (session.finish && request.repetitions > 0) session.sendPacket(session.finish);
    session.send({ type: 'request', number: request.number, content: request.content });
    this.#repeatLater(request);
  }

  #repeatLater(request: PendingRequest): void {
    request.repetition?.cancel();
    const delay = FIRST_REPETITION * 2 ** Math.min(request.repetitions, 6);
    request.repetition = this.#context.wheel.schedule(delay, () => this.#repeat(request));
  }

  #repeat(request: PendingRequest): void {
    request.repetitions++;
    const { session } = request;
    if (session && request.isRepeatable && request.repetitions > LOST_AFTER) {
      // The other side may have restarted: a new session is tried within the same deadline.
      this.#context.drop(session);
    } else if (session) this.#send(request, session);
    else {
      const opening = this.#openings.get(keyOf(request.peer, request.address));
      if (!opening) this.#dispatch(request);
      else if (this.#context.wheel.now() - opening.startedAt >= STALE_AFTER) this.#restart(opening);
      else {
        // One of those who wait repeats for all.
        if (opening.waiting.values().next().value === request) {
          this.#context.options.send(opening.hello, opening.address);
        }
        this.#repeatLater(request);
      }
    }
  }

  #restart(opening: Opening): void {
    this.#endOpening(opening);
    for (const request of opening.waiting) this.#dispatch(request);
  }

  /** The session of the request is gone. */
  #lost(request: PendingRequest): void {
    request.session = undefined;
    request.repetition?.cancel();
    if (request.isRepeatable) this.#dispatch(request);
    else this.#fail(request, new TransportError('CONNECTION_LOST', 'the session was lost before the answer'));
  }

  #refused(opening: Opening, cause: unknown): void {
    this.#endOpening(opening);
    const code =
      cause instanceof HandshakeError && cause.code === 'IDENTITY_MISMATCH'
        ? 'PEER_MISMATCH'
        : 'HANDSHAKE_FAILED';
    for (const request of opening.waiting) {
      this.#fail(request, new TransportError(code, `no session with ${opening.address}`, { cause }));
    }
  }

  #endOpening(opening: Opening): void {
    this.#openings.delete(opening.key);
    this.#openingsByName.delete(opening.name);
    opening.handshake[Symbol.dispose]();
  }

  #fail(request: PendingRequest, reason: unknown): void {
    this.#settle(request, () => request.reject(reason));
  }

  #settle(request: PendingRequest, settle: () => void): void {
    if (!this.#pending.delete(request)) return;
    for (const timer of request.timers) timer.cancel();
    request.repetition?.cancel();
    const opening = this.#openings.get(keyOf(request.peer, request.address));
    opening?.waiting.delete(request);
    if (opening?.waiting.size === 0) this.#endOpening(opening);
    settle();
  }
}
