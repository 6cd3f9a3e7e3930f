import { HandshakeError, type HandshakeResult } from '@nzcore/crypto/handshake';
import type { PeerId } from '@nzcore/identity';
import { TransportError } from '../errors.ts';
import type { DatagramRequestOptions, EndpointContext } from './datagram-endpoint.ts';
import { type Exchange, encodeHandshake } from './datagram-packet.ts';
import { DatagramSession, type Finish } from './datagram-session.ts';
import { createOpening, judgeFailure, type Opening, openingKey } from './opening.ts';
import { type PendingRequest, PendingRequests } from './pending-request.ts';

/** Milliseconds until the first repetition; each further one waits twice as long. */
const FIRST_REPETITION = 500;
/** Milliseconds after which a new handshake is begun in place of one without an answer: before it expires by itself. */
const STALE_AFTER = 5_000;
/** Repetitions without any answer after which a session counts as lost on the other side. */
const LOST_AFTER = 2;
/** Milliseconds that the right peer has left once somebody else has answered: longer than the slowest round trips. */
const MISMATCH_GRACE = 1_000;

/** The asking side: opens sessions, repeats what was not answered, and matches answers. */
export class DatagramClient {
  readonly #context: EndpointContext;
  readonly #openings = new Map<string, Opening>();
  readonly #openingsByName = new Map<string, Opening>();
  /** Names of the sessions that this side opened. */
  readonly #sessions = new Map<string, DatagramSession>();
  readonly #pending = new PendingRequests();

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
      const onAbort = (): void => this.#settle(request, () => request.reject(signal?.reason));
      const settleWith =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          signal?.removeEventListener('abort', onAbort);
          settle(value);
        };
      const request: PendingRequest = {
        peer,
        address,
        content,
        isRepeatable,
        resolve: settleWith(resolve),
        reject: settleWith(reject),
        session: undefined,
        number: 0,
        repetitions: 0,
        deadline: this.#context.wheel.schedule(timeout, () => this.#late(request, timeout)),
        repetition: undefined,
      };
      signal?.addEventListener('abort', onAbort, { once: true });
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
      const finish = session?.address === address ? session.finish : undefined;
      if (finish && isEqual(finish.answer, message)) session?.sendPacket(finish.packet);
      return;
    }
    const { clock, wheel, options } = this.#context;
    if (opening.address !== address || !opening.tries.take(() => wheel.now())) return;
    opening.received += message.length;
    try {
      const { reply, result } = opening.handshake.receive(message, clock.now());
      const packet = reply && encodeHandshake(remoteName, name, reply);
      if (packet) options.send(packet, address);
      const finish = packet && { packet, answer: new Uint8Array(message) };
      if (result) this.#opened(opening, result, remoteName, finish);
    } catch (error) {
      this.#handshakeFailed(opening, error);
    }
  }

  /** NZ-DATAGRAM-01 §3.6: what anybody on the path can send does not end it. */
  #handshakeFailed(opening: Opening, error: unknown): void {
    const { emit, wheel } = this.#context;
    const verdict = judgeFailure(error);
    if (verdict === 'forged') {
      emit({ type: 'datagram-dropped', address: opening.address, reason: 'not-authentic' });
    } else if (verdict === 'final') this.#refused(opening, error);
    else opening.mismatch ??= wheel.schedule(MISMATCH_GRACE, () => this.#refused(opening, error));
  }

  receiveAnswer(session: DatagramSession, { type, number, content }: Exchange): void {
    const request = this.#pending.find(session, number);
    if (!request) return;
    if (type === 'response') this.#settle(request, () => request.resolve(content));
    else this.#fail(request, new TransportError('REQUEST_FAILED', 'the peer refused the request'));
  }

  forget(session: DatagramSession): void {
    const key = openingKey(session.peer, session.address);
    if (this.#sessions.get(key) === session) this.#sessions.delete(key);
    for (const request of this.#pending.of(session)) this.#lost(request);
  }

  close(): void {
    for (const request of this.#pending.all()) {
      this.#fail(request, new TransportError('CLOSED', 'the endpoint is closed'));
    }
    for (const opening of [...this.#openings.values()]) this.#endOpening(opening);
  }

  #sessionByName(name: string): DatagramSession | undefined {
    const session = this.#context.session(name);
    return session && this.#sessions.get(openingKey(session.peer, session.address)) === session
      ? session
      : undefined;
  }

  #dispatch(request: PendingRequest): void {
    const key = openingKey(request.peer, request.address);
    const session = this.#sessions.get(key);
    if (session) this.#send(request, session);
    else {
      const opening = this.#openings.get(key);
      if (opening) opening.waiting.add(request);
      else if (!this.#open(request)) return;
      this.#repeatLater(request);
    }
  }

  /** @returns false when it could not be begun, as with an identity that is disposed of: often there is nobody here to throw to */
  #open(first: PendingRequest): boolean {
    let opening: Opening;
    try {
      opening = createOpening(first, this.#context);
    } catch (error) {
      this.#fail(first, error);
      return false;
    }
    this.#openings.set(opening.key, opening);
    this.#openingsByName.set(opening.name, opening);
    this.#context.options.send(opening.hello, opening.address);
    return true;
  }

  #opened(opening: Opening, result: HandshakeResult, remoteName: string, finish: Finish | undefined): void {
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
        this.#pending.assign(request, session, firstNumber);
      }
    }
  }

  #send(request: PendingRequest, session: DatagramSession): void {
    if (request.session !== session) this.#pending.assign(request, session, session.nextNumber());
    if (session.finish && request.repetitions > 0) session.sendPacket(session.finish.packet);
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
      const opening = this.#openings.get(openingKey(request.peer, request.address));
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
    this.#pending.unassign(request);
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
    opening.mismatch?.cancel();
    opening.handshake[Symbol.dispose]();
  }

  #late(request: PendingRequest, timeout: number): void {
    const message = `no answer from ${request.address} within ${timeout} ms`;
    this.#fail(request, new TransportError('REQUEST_TIMEOUT', message));
  }

  #fail(request: PendingRequest, reason: unknown): void {
    this.#settle(request, () => request.reject(reason));
  }

  #settle(request: PendingRequest, settle: () => void): void {
    if (!this.#pending.delete(request)) return;
    const opening = this.#openings.get(openingKey(request.peer, request.address));
    opening?.waiting.delete(request);
    if (opening?.waiting.size === 0) this.#endOpening(opening);
    settle();
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
