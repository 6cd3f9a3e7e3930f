import { createHandshake, type Handshake, type HandshakeResult } from '@nzcore/crypto/handshake';
import { peerIdFromPublicKey } from '@nzcore/identity';
import { createHostRate, type HostRate } from '../host-rate.ts';
import { TokenBucket } from '../token-bucket.ts';
import type { EndpointContext } from './datagram-endpoint.ts';
import {
  decodeExchange,
  type Exchange,
  encodeHandshake,
  MAX_PACKET,
  sessionName,
} from './datagram-packet.ts';
import { DatagramSession, MAX_CONTENT } from './datagram-session.ts';
import { HANDSHAKE_TRIES, judgeFailure } from './opening.ts';

/** A hello that was answered: the same answer is given to its repetitions, as often as the budget allows. */
interface Answered {
  readonly key: string;
  readonly localName: string;
  readonly remoteName: string;
  readonly address: string;
  readonly reply: Uint8Array;
  /** Undefined once the handshake is complete. */
  handshake: Handshake | undefined;
  session: DatagramSession | undefined;
  readonly tries: TokenBucket;
  /** The other side repeats its hello after half a second, and then ever more rarely. */
  readonly repeats: TokenBucket;
  received: number;
  sent: number;
}

/** A hello that waits for the one before it. */
interface Hello {
  readonly remoteName: string;
  readonly message: Uint8Array;
  readonly address: string;
}

/**
 * Milliseconds between two handshakes: each takes about one, and a socket gives up to 32 packets at once. So whoever sends a message on another
 * socket waits for one of them and not for all.
 */
const HANDSHAKE_INTERVAL = 1;
/** Answers to repetitions of one hello, and how many a second in the long run. */
const REPEATS = 16;
const REPEATS_PER_SECOND = 4;
/** Hellos that wait: as many as are answered in half a second. */
const MAX_WAITING = 100;

/** The answering side: what strangers send first is met here, so everything is bounded. */
export class DatagramResponder {
  readonly #context: EndpointContext;
  /** By address and the other side's session name, the oldest first. */
  readonly #answered = new Map<string, Answered>();
  readonly #byName = new Map<string, Answered>();
  readonly #hostRate: HostRate;
  readonly #rate: TokenBucket;
  readonly #waiting: Hello[] = [];
  /** Runs from one handshake to the next. */
  #pause: unknown;

  constructor(context: EndpointContext) {
    const { handshakesPerHost, handshakesInAll } = context.limits;
    this.#context = context;
    this.#hostRate = createHostRate(handshakesPerHost, context.clock);
    this.#rate = new TokenBucket(2 * handshakesInAll, handshakesInAll);
  }

  receiveHello(remoteName: string, message: Uint8Array, address: string): void {
    const known = this.#answered.get(helloKey({ remoteName, address }));
    if (known) {
      this.#repeat(known);
      return;
    }
    const { emit, wheel } = this.#context;
    const isFull = this.#waiting.length >= MAX_WAITING;
    const isAllowed = (): boolean => this.#rate.take(() => wheel.now());
    if (isFull || !this.#hostRate.take(address, isAllowed)) {
      emit({ type: 'datagram-dropped', address, reason: 'rate' });
    } else if (this.#pause === undefined) this.#meet({ remoteName, message, address });
    else this.#waiting.push({ remoteName, message: new Uint8Array(message), address });
  }

  #meet(hello: Hello): void {
    const { emit, clock } = this.#context;
    this.#pause = clock.setTimeout(() => this.#meetNext(), HANDSHAKE_INTERVAL);
    try {
      this.#answer(hello);
    } catch {
      // HandshakeError: whatever it was, a stranger learns nothing from it.
      emit({ type: 'datagram-dropped', address: hello.address, reason: 'not-authentic' });
    }
  }

  #meetNext(): void {
    this.#pause = undefined;
    const hello = this.#waiting.shift();
    if (hello === undefined) return;
    const known = this.#answered.get(helloKey(hello));
    if (known === undefined) this.#meet(hello);
    else {
      this.#repeat(known);
      this.#meetNext();
    }
  }

  #answer(hello: Hello): void {
    const { remoteName, message, address } = hello;
    const { options, clock, newName } = this.#context;
    const handshake = createHandshake({
      role: 'responder',
      isOverDatagrams: true,
      identity: options.identity.handshakeIdentity(clock.now()),
      ...(options.networkKey ? { networkKey: options.networkKey } : {}),
    });
    const { reply, result } = handshake.receive(message, clock.now());
    if (!reply) return;
    if (result && !this.#isAllowed(result, address)) return;
    const localName = sessionName(newName());
    const packet = encodeHandshake(remoteName, localName, reply);
    const answered: Answered = {
      key: helloKey(hello),
      localName,
      remoteName,
      address,
      reply: packet,
      handshake: result ? undefined : handshake,
      session: undefined,
      tries: new TokenBucket(2 * HANDSHAKE_TRIES, HANDSHAKE_TRIES),
      repeats: new TokenBucket(REPEATS, REPEATS_PER_SECOND),
      received: MAX_PACKET,
      sent: packet.length,
    };
    this.#remember(answered);
    options.send(packet, address);
    if (!result) return;
    answered.session = this.#open(answered, result, false);
    const early = result.earlyData && decodeExchange(result.earlyData);
    if (early?.type === 'request') this.receiveRequest(answered.session, early, true);
  }

  /** The last message of a handshake of three. */
  receiveHandshake(name: string, message: Uint8Array, address: string): void {
    const answered = this.#byName.get(name);
    const { clock, emit, wheel } = this.#context;
    if (!answered?.handshake || answered.address !== address) {
      emit({ type: 'datagram-dropped', address, reason: 'unknown-session' });
      return;
    }
    if (!answered.tries.take(() => wheel.now())) {
      emit({ type: 'datagram-dropped', address, reason: 'rate' });
      return;
    }
    const { handshake } = answered;
    try {
      const { result } = handshake.receive(message, clock.now());
      if (!result) return;
      answered.handshake = undefined;
      if (this.#isAllowed(result, address)) answered.session = this.#open(answered, result, true);
      else this.#forgetAnswered(answered);
    } catch (error) {
      // Anybody on the path can send a message that fails; the right one may follow (§3.6).
      if (judgeFailure(error) !== 'forged') this.#forgetAnswered(answered);
      emit({ type: 'datagram-dropped', address, reason: 'not-authentic' });
    }
  }

  /** Runs a request once, and repeats its response when it is asked for again. */
  receiveRequest(session: DatagramSession, { number, content }: Exchange, isReplayable: boolean): void {
    const logged = session.log.begin(number);
    if (logged === 'known') return;
    if (logged !== 'new') {
      this.#sendAnswer(session, number, logged.response);
      return;
    }
    void this.#run(session, number, new Uint8Array(content), isReplayable);
  }

  #sendAnswer(session: DatagramSession, number: number, response: Uint8Array | undefined): void {
    if (response) session.send({ type: 'response', number, content: response });
    else session.send({ type: 'refusal', number, content: new Uint8Array(0) });
  }

  async #run(
    session: DatagramSession,
    number: number,
    content: Uint8Array,
    isReplayable: boolean,
  ): Promise<void> {
    const { options, emit } = this.#context;
    const { peer, address } = session;
    let response: Uint8Array | undefined;
    try {
      response = await options.onRequest?.({ peer, address, content, isReplayable });
      if (response && response.length > MAX_CONTENT)
        throw new RangeError(`a response has at most ${MAX_CONTENT} bytes`);
    } catch (error) {
      response = undefined;
      emit({ type: 'handler-failed', peer, error });
    }
    session.log.finish(number, response);
    this.#sendAnswer(session, number, response);
  }

  forget(session: DatagramSession): void {
    const answered = this.#byName.get(session.localName);
    if (answered) this.#forgetAnswered(answered);
  }

  close(): void {
    this.#waiting.length = 0;
    if (this.#pause !== undefined) this.#context.clock.clearTimeout(this.#pause);
    for (const answered of [...this.#answered.values()]) this.#forgetAnswered(answered);
  }

  #isAllowed(result: HandshakeResult, address: string): boolean {
    const peer = peerIdFromPublicKey(result.remote.identity);
    const { options, emit } = this.#context;
    if (peer !== options.identity.peerId && options.isAllowed?.(peer) !== false) return true;
    emit({ type: 'datagram-dropped', address, reason: 'refused' });
    return false;
  }

  #open(answered: Answered, result: HandshakeResult, isProven: boolean): DatagramSession {
    const { options, wheel, limits } = this.#context;
    const { address, localName, remoteName } = answered;
    const peer = peerIdFromPublicKey(result.remote.identity);
    const session: DatagramSession = new DatagramSession({
      result,
      peer,
      localName,
      remoteName,
      address,
      received: answered.received,
      sent: answered.sent,
      isProven,
      wheel,
      requestRate: limits.requestsPerSession,
      send: (packet) => options.send(packet, address),
      onIdle: () => this.#context.drop(session),
    });
    // A replayed hello proves nothing about where its maker is.
    if (isProven) options.onStaticKey?.(peer, address, result.remote.staticKey);
    this.#context.enroll(session, 'inbound');
    return session;
  }

  #repeat(answered: Answered): void {
    const { emit, wheel } = this.#context;
    if (!answered.repeats.take(() => wheel.now())) {
      emit({ type: 'datagram-dropped', address: answered.address, reason: 'rate' });
      return;
    }
    answered.received += MAX_PACKET;
    if (answered.session) {
      answered.session.countReceived(MAX_PACKET);
      answered.session.sendPacket(answered.reply);
      // The early request has the first number; its response goes with the answer.
      const early = answered.session.log.answerOf(1);
      if (early) this.#sendAnswer(answered.session, 1, early.response);
    } else if (answered.sent + answered.reply.length <= 3 * answered.received) {
      answered.sent += answered.reply.length;
      this.#context.options.send(answered.reply, answered.address);
    }
  }

  #remember(answered: Answered): void {
    this.#answered.set(answered.key, answered);
    this.#byName.set(answered.localName, answered);
    this.#context.wheel.schedule(HELLO_LIFETIME, () => {
      if (!answered.session || answered.handshake) this.#forgetAnswered(answered);
    });
    if (this.#answered.size <= this.#context.limits.maxPendingHandshakes) return;
    this.#forgetAnswered(this.#answered.values().next().value!);
  }

  #forgetAnswered(answered: Answered): void {
    answered.handshake?.[Symbol.dispose]();
    answered.handshake = undefined;
    if (this.#answered.get(answered.key) === answered) this.#answered.delete(answered.key);
    if (this.#byName.get(answered.localName) === answered) this.#byName.delete(answered.localName);
  }
}

/** Milliseconds for which an answer is repeated, and in which a handshake of three messages must end. */
const HELLO_LIFETIME = 10_000;

function helloKey({ address, remoteName }: Pick<Hello, 'address' | 'remoteName'>): string {
  return `${address}|${remoteName}`;
}
