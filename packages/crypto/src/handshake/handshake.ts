import { concatBytes } from '../bytes.ts';
import { primitives as defaultPrimitives } from '../default-primitives.ts';
import { isUnavailable } from '../noise/errors.ts';
import { DH_LENGTH } from '../noise/handshake-keys.ts';
import type { HandshakeState } from '../noise/handshake-state.ts';
import { createNoise, createResuming, createState, fallbackKeys, type HandshakeContext } from './context.ts';
import { HandshakeError, type HandshakeErrorCode, invalidMessage } from './errors.ts';
import { decodeHeader, encodeHeader, HEADER_LENGTH, type Header, protocolOf } from './header.ts';
import { createOffer } from './local-offer.ts';
import { negotiate } from './negotiation.ts';
import { addNetworkTag, removeNetworkTag } from './network-key.ts';
import { decodeTerms, encodeOffer, encodeTerms } from './offer.ts';
import { expectIdentity, readOffer } from './received-offer.ts';
import { createResult, type Outcome, peerOf } from './result.ts';
import { ticketsOf } from './ticket-cache.ts';
import { TICKET_ID_LENGTH, type Ticket } from './ticket-table.ts';
import type { Handshake, HandshakeOptions, HandshakeResult, HandshakeStep } from './types.ts';

/** Longest handshake message in bytes (NZ-HANDSHAKE-01 §5.1): refuse a longer one before you buffer it. */
export const MAX_HANDSHAKE_MESSAGE = 12_288;
/** Milliseconds that a handshake may take (NZ-HANDSHAKE-01 §9). */
export const HANDSHAKE_TIMEOUT = 10_000;
/** What a message of somebody without the peer's keys can end with: its making proves nothing about the peer. */
const FORGEABLE: readonly HandshakeErrorCode[] = ['INVALID_MESSAGE', 'IDENTITY_MISMATCH'];

// Ticket, ephemeral key and the tag of the payload.
const MIN_RESUMING = TICKET_ID_LENGTH + DH_LENGTH + 16;
const nothing = new Uint8Array(0);

type State =
  | { readonly phase: 'ready' }
  /** `first` is message 1 on the initiator's side: a fallback's prologue contains it. Prepared is what nobody was told of yet. */
  | {
      readonly phase: 'prepared' | 'underway';
      readonly noise: HandshakeState;
      readonly header: Header;
      readonly first: Uint8Array;
      /** What it resumes with. */
      readonly ticket?: Ticket | undefined;
    }
  | { readonly phase: 'ended' };

type Underway = Extract<State, { readonly noise: HandshakeState }>;

class HandshakeMachine implements Handshake {
  readonly #options: HandshakeOptions;
  readonly #context: HandshakeContext;
  #state: State = { phase: 'ready' };
  #deadline: number | undefined;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#context = {
      options,
      primitives: options.primitives ?? defaultPrimitives,
      networkKey: options.networkKey && new Uint8Array(options.networkKey),
      offer: createOffer(options),
      tickets: options.tickets && ticketsOf(options.tickets),
    };
  }

  get deadline(): number | undefined {
    return this.#state.phase === 'ended' ? undefined : this.#deadline;
  }

  prepare(now: number): void {
    if (this.#options.role !== 'initiator') throw new TypeError('the responder does not start');
    if (this.#state.phase === 'ready') this.#state = this.#prepare(now);
  }

  start(now: number): Uint8Array {
    if (this.#state.phase === 'underway' || this.#state.phase === 'ended') throw finished();
    try {
      // Prepared long ago: its time is over before anybody has heard of it.
      if (this.#state.phase === 'prepared' && this.#state.ticket && now >= this.#state.ticket.expiresAt)
        this.#clear('ready');
      this.prepare(now);
      this.#deadline = now + HANDSHAKE_TIMEOUT;
      const prepared = this.#state as Underway;
      // From now on somebody may know of it: it is used.
      prepared.ticket?.secret.dispose();
      this.#state = { ...prepared, phase: 'underway' };
      return prepared.first.slice();
    } catch (cause) {
      this[Symbol.dispose]();
      throw cause;
    }
  }

  receive(message: Uint8Array, now: number): HandshakeStep {
    if (this.#state.phase === 'ended') throw finished();
    const isStarted = this.#state.phase === 'underway' || this.#options.role === 'responder';
    if (!isStarted) throw new TypeError('call start first');
    const spare = this.#options.isOverDatagrams === true ? this.#copyState() : undefined;
    try {
      const step = this.#receive(message, now);
      if (spare?.phase === 'underway') spare.noise[Symbol.dispose]();
      return step;
    } catch (cause) {
      const error = cause instanceof HandshakeError || isUnavailable(cause) ? cause : invalidMessage();
      if (spare && error instanceof HandshakeError && FORGEABLE.includes(error.code)) this.#restore(spare);
      else {
        if (spare?.phase === 'underway') spare.noise[Symbol.dispose]();
        this[Symbol.dispose]();
      }
      throw error;
    }
  }

  #copyState(): State {
    return this.#state.phase === 'underway'
      ? { ...this.#state, noise: this.#state.noise.fork() }
      : this.#state;
  }

  #restore(state: State): void {
    if (this.#state.phase === 'underway') this.#state.noise[Symbol.dispose]();
    this.#state = state;
  }

  [Symbol.dispose](): void {
    this.#clear('ended');
    const { networkKey, primitives } = this.#context;
    if (networkKey) primitives.wipe(networkKey);
  }

  #clear(phase: 'ready' | 'ended'): void {
    if ('noise' in this.#state) this.#state.noise[Symbol.dispose]();
    if (this.#state.phase === 'prepared' && this.#state.ticket)
      this.#context.tickets?.giveBack(this.#state.ticket);
    this.#state = { phase };
  }

  #prepare(now: number): Underway {
    const ticket = this.#takeTicket(now);
    const { networkKey, primitives, tickets } = this.#context;
    const pattern = ticket ? 'NNpsk0' : this.#options.remoteStaticKey ? 'IK' : 'XX';
    const header: Header = { pattern, hasNetworkKey: networkKey !== undefined };
    try {
      const noise = ticket
        ? createResuming(this.#context, header, ticket)
        : createNoise(this.#context, header);
      const message = noise.writeMessage(this.#firstPayload(header));
      const whole = concatBytes(encodeHeader(header), ticket?.id ?? nothing, message);
      return {
        phase: 'prepared',
        noise,
        header,
        first: addNetworkTag(whole, networkKey, primitives),
        ticket,
      };
    } catch (cause) {
      if (ticket) tickets?.giveBack(ticket);
      throw cause;
    }
  }

  #takeTicket(now: number): Ticket | undefined {
    const { expectedIdentity: remoteIdentity, identity, isOverDatagrams } = this.#options;
    if (!remoteIdentity || isOverDatagrams === true) return undefined;
    return this.#context.tickets?.take({ localIdentity: identity.publicKey, remoteIdentity, now });
  }

  #firstPayload({ pattern }: Header): Uint8Array {
    if (pattern === 'NNpsk0') return encodeTerms(this.#context.offer);
    return pattern === 'IK' ? encodeOffer(this.#context.offer) : nothing;
  }

  #receive(message: Uint8Array, now: number): HandshakeStep {
    this.#deadline ??= now + HANDSHAKE_TIMEOUT;
    if (now > this.#deadline) throw new HandshakeError('TIMEOUT', 'the handshake took too long');
    if (message.length > MAX_HANDSHAKE_MESSAGE) throw invalidMessage();
    const header = decodeHeader(message);
    if (!header || header.hasNetworkKey !== (this.#context.networkKey !== undefined)) throw invalidMessage();
    if (this.#options.role === 'responder') {
      return this.#state.phase === 'ready'
        ? this.#receiveFirst(message, header, now)
        : this.#receiveThird(message, header, now);
    }
    return this.#receiveSecond(message, header, now);
  }

  /** Responder. XX: `-> e`; IK: `-> e, es, s, ss`. Nothing was allocated before this point. */
  #receiveFirst(message: Uint8Array, header: Header, now: number): HandshakeStep {
    if (header.pattern === 'XXfallback') throw invalidMessage();
    const { networkKey, primitives } = this.#context;
    const body = removeNetworkTag(message, networkKey, primitives).subarray(HEADER_LENGTH);
    if (header.pattern === 'NNpsk0') return this.#resume(message, body, now);
    const noise = createNoise(this.#context, header);
    this.#state = { phase: 'underway', noise, header, first: nothing };
    if (body.length < noise.nextOverhead) throw invalidMessage();
    if (header.pattern === 'XX') {
      if (noise.readMessage(body).length > 0) throw invalidMessage();
      return this.#answer(noise, header);
    }
    let payload: Uint8Array;
    try {
      payload = noise.readMessage(body);
    } catch (cause) {
      if (isUnavailable(cause)) throw cause;
      return this.#fallBack(body.subarray(0, DH_LENGTH), message);
    }
    const remote = readOffer(this.#context, payload, { noise, now });
    const reply = concatBytes(encodeHeader(header), noise.writeMessage(encodeOffer(this.#context.offer)));
    return {
      reply,
      result: this.#finish(noise, { header, terms: remote, peer: peerOf(remote, noise), now }),
    };
  }

  /** Responder. NNpsk0: `-> psk, e`, answered by `<- e, ee`; a ticket that is not known, or not this one, is no use but for its `e`. */
  #resume(message: Uint8Array, body: Uint8Array, now: number): HandshakeStep {
    if (this.#options.isOverDatagrams === true || body.length < MIN_RESUMING) throw invalidMessage();
    const header: Header = { pattern: 'NNpsk0', hasNetworkKey: this.#context.networkKey !== undefined };
    const [id, rest] = [body.subarray(0, TICKET_ID_LENGTH), body.subarray(TICKET_ID_LENGTH)];
    const ticket = this.#context.tickets?.find(id, this.#options.identity.publicKey, now);
    if (!ticket) return this.#fallBack(rest.subarray(0, DH_LENGTH), message);
    const noise = createResuming(this.#context, header, ticket);
    this.#state = { phase: 'underway', noise, header, first: nothing };
    let payload: Uint8Array;
    try {
      payload = noise.readMessage(rest);
    } catch (cause) {
      if (isUnavailable(cause)) throw cause;
      return this.#fallBack(rest.subarray(0, DH_LENGTH), message);
    }
    this.#context.tickets?.spend(ticket);
    const terms = decodeTerms(payload);
    expectIdentity(this.#context, ticket.remote.identity);
    const reply = concatBytes(encodeHeader(header), noise.writeMessage(encodeTerms(this.#context.offer)));
    return { reply, result: this.#finish(noise, { header, terms, peer: ticket.remote, ticket, now }) };
  }

  /** Responder: message 1 was not made for this static key, so only its ephemeral key is used (Noise Pipes). */
  #fallBack(remoteEphemeralKey: Uint8Array, first: Uint8Array): HandshakeStep {
    const header: Header = { pattern: 'XXfallback', hasNetworkKey: this.#context.networkKey !== undefined };
    if ('noise' in this.#state) this.#state.noise[Symbol.dispose]();
    const keys = { ...fallbackKeys(this.#context, header, first), remoteEphemeralKey };
    const noise = createState(this.#context, header, keys);
    return this.#answer(noise, header);
  }

  /** Responder. XX and XXfallback: `<- e, ee, s, es`. */
  #answer(noise: HandshakeState, header: Header): HandshakeStep {
    const reply = concatBytes(encodeHeader(header), noise.writeMessage(encodeOffer(this.#context.offer)));
    this.#state = { phase: 'underway', noise, header, first: nothing };
    return { reply };
  }

  /** Initiator. XX and XXfallback: `<- e, ee, s, es`, answered by `-> s, se`; IK: `<- e, ee, se`; NNpsk0: `<- e, ee`. */
  #receiveSecond(message: Uint8Array, header: Header, now: number): HandshakeStep {
    if (this.#state.phase !== 'underway') throw invalidMessage();
    const { first, ticket } = this.#state;
    const isFallback = this.#state.header.pattern !== 'XX' && header.pattern === 'XXfallback';
    if (header.pattern !== this.#state.header.pattern && !isFallback) throw invalidMessage();
    let { noise } = this.#state;
    if (isFallback) {
      const { name, pattern } = protocolOf(header);
      noise = noise.fallback(pattern, name, fallbackKeys(this.#context, header, first));
      this.#state = { ...this.#state, noise, header };
    }
    const payload = noise.readMessage(message.subarray(HEADER_LENGTH));
    if (ticket && !isFallback) {
      const terms = decodeTerms(payload);
      return { result: this.#finish(noise, { header, terms, peer: ticket.remote, ticket, now }) };
    }
    const remote = readOffer(this.#context, payload, { noise, now });
    const outcome = { header, terms: remote, peer: peerOf(remote, noise), now };
    if (header.pattern === 'IK') return { result: this.#finish(noise, outcome) };
    negotiate('initiator', this.#context.offer, remote);
    const reply = concatBytes(encodeHeader(header), noise.writeMessage(encodeOffer(this.#context.offer)));
    return { reply, result: this.#finish(noise, outcome) };
  }

  /** Responder. XX and XXfallback: `-> s, se`. */
  #receiveThird(message: Uint8Array, header: Header, now: number): HandshakeStep {
    if (this.#state.phase !== 'underway' || header.pattern !== this.#state.header.pattern)
      throw invalidMessage();
    const { noise } = this.#state;
    const payload = noise.readMessage(message.subarray(HEADER_LENGTH));
    const remote = readOffer(this.#context, payload, { noise, now });
    return { result: this.#finish(noise, { header, terms: remote, peer: peerOf(remote, noise), now }) };
  }

  #finish(noise: HandshakeState, outcome: Outcome): HandshakeResult {
    const result = createResult(this.#context, noise, outcome);
    this[Symbol.dispose]();
    return result;
  }
}

const finished = (): HandshakeError => new HandshakeError('FINISHED', 'this handshake has ended');

/**
 * Starts NZ-HANDSHAKE-01.
 * @throws TypeError or RangeError for options that cannot be used.
 */
export function createHandshake(options: HandshakeOptions): Handshake {
  return new HandshakeMachine(options);
}
