import { concatBytes } from '../bytes.ts';
import { ChannelSecrets } from '../channel/secrets.ts';
import { primitives as defaultPrimitives } from '../default-primitives.ts';
import { isUnavailable } from '../noise/errors.ts';
import { HandshakeState } from '../noise/handshake-state.ts';
import { createSuite, nativeHash } from '../noise/suite.ts';
import type { Primitives } from '../primitives.ts';
import { isCertificateAuthentic } from './certificate.ts';
import { HandshakeError, type HandshakeErrorCode, invalidMessage } from './errors.ts';
import { decodeHeader, encodeHeader, HEADER_LENGTH, type Header, protocolOf } from './header.ts';
import { createOffer } from './local-offer.ts';
import { negotiate } from './negotiation.ts';
import { NETWORK_TAG_LENGTH, networkTag } from './network-key.ts';
import { decodeOffer, encodeOffer, type Offer } from './offer.ts';
import type { Handshake, HandshakeOptions, HandshakeResult, HandshakeStep } from './types.ts';

/** Longest handshake message in bytes (NZ-HANDSHAKE-01 §5.1): refuse a longer one before you buffer it. */
export const MAX_HANDSHAKE_MESSAGE = 12_288;
/** Milliseconds that a handshake may take (NZ-HANDSHAKE-01 §9). */
export const HANDSHAKE_TIMEOUT = 10_000;
/** Milliseconds by which a certificate may have expired, for clocks that differ (NZ-HANDSHAKE-01 §4). */
export const CERTIFICATE_SKEW = 600_000;

/** What a message of somebody without the peer's keys can end with: its making proves nothing about the peer. */
const FORGEABLE: readonly HandshakeErrorCode[] = ['INVALID_MESSAGE', 'IDENTITY_MISMATCH'];

const PROLOGUE = new TextEncoder().encode('NZ-HANDSHAKE-01');
const nothing = new Uint8Array(0);

type State =
  | { readonly phase: 'ready' }
  /** `first` is message 1 on the initiator's side: a fallback's prologue contains it. Prepared is what nobody was told of yet. */
  | {
      readonly phase: 'prepared' | 'underway';
      readonly noise: HandshakeState;
      readonly header: Header;
      readonly first: Uint8Array;
    }
  | { readonly phase: 'ended' };

type Underway = Extract<State, { readonly noise: HandshakeState }>;

class HandshakeMachine implements Handshake {
  readonly #options: HandshakeOptions;
  readonly #primitives: Primitives;
  readonly #networkKey: Uint8Array | undefined;
  readonly #offer: Offer;
  #state: State = { phase: 'ready' };
  #deadline: number | undefined;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#primitives = options.primitives ?? defaultPrimitives;
    this.#offer = createOffer(options);
    this.#networkKey = options.networkKey && new Uint8Array(options.networkKey);
  }

  get deadline(): number | undefined {
    return this.#state.phase === 'ended' ? undefined : this.#deadline;
  }

  prepare(): void {
    if (this.#options.role !== 'initiator') throw new TypeError('the responder does not start');
    if (this.#state.phase === 'ready') this.#state = this.#prepare();
  }

  start(now: number): Uint8Array {
    if (this.#state.phase === 'underway' || this.#state.phase === 'ended') throw finished();
    try {
      this.prepare();
      this.#deadline = now + HANDSHAKE_TIMEOUT;
      const prepared = this.#state as Underway;
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
    if ('noise' in this.#state) this.#state.noise[Symbol.dispose]();
    if (this.#networkKey) this.#primitives.wipe(this.#networkKey);
    this.#state = { phase: 'ended' };
  }

  #prepare(): Underway {
    const pattern = this.#options.remoteStaticKey ? 'IK' : 'XX';
    const header: Header = { pattern, hasNetworkKey: this.#networkKey !== undefined };
    const noise = this.#createNoise(header, encodeHeader(header));
    const payload = pattern === 'IK' ? encodeOffer(this.#offer) : nothing;
    const first = this.#addNetworkTag(concatBytes(encodeHeader(header), noise.writeMessage(payload)));
    return { phase: 'prepared', noise, header, first };
  }

  #receive(message: Uint8Array, now: number): HandshakeStep {
    this.#deadline ??= now + HANDSHAKE_TIMEOUT;
    if (now > this.#deadline) throw new HandshakeError('TIMEOUT', 'the handshake took too long');
    if (message.length > MAX_HANDSHAKE_MESSAGE) throw invalidMessage();
    const header = decodeHeader(message);
    if (!header || header.hasNetworkKey !== (this.#networkKey !== undefined)) throw invalidMessage();
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
    const body = this.#removeNetworkTag(message).subarray(HEADER_LENGTH);
    const noise = this.#createNoise(header, encodeHeader(header));
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
      return this.#fallBack(noise, message);
    }
    const remote = this.#readOffer(payload, noise, now);
    const reply = concatBytes(encodeHeader(header), noise.writeMessage(encodeOffer(this.#offer)));
    return { reply, result: this.#finish(noise, header, remote) };
  }

  /** Responder: message 1 was not made for this static key, so only its ephemeral key is used (Noise Pipes). */
  #fallBack(noise: HandshakeState, first: Uint8Array): HandshakeStep {
    const header: Header = { pattern: 'XXfallback', hasNetworkKey: this.#networkKey !== undefined };
    return this.#answer(this.#startFallback(noise, header, first), header);
  }

  /** Responder. XX and XXfallback: `<- e, ee, s, es`. */
  #answer(noise: HandshakeState, header: Header): HandshakeStep {
    const reply = concatBytes(encodeHeader(header), noise.writeMessage(encodeOffer(this.#offer)));
    this.#state = { phase: 'underway', noise, header, first: nothing };
    return { reply };
  }

  /** Initiator. XX and XXfallback: `<- e, ee, s, es`, answered by `-> s, se`; IK: `<- e, ee, se`. */
  #receiveSecond(message: Uint8Array, header: Header, now: number): HandshakeStep {
    if (this.#state.phase !== 'underway') throw invalidMessage();
    const isFallback = this.#state.header.pattern === 'IK' && header.pattern === 'XXfallback';
    if (header.pattern !== this.#state.header.pattern && !isFallback) throw invalidMessage();
    let { noise } = this.#state;
    if (isFallback) {
      noise = this.#startFallback(noise, header, this.#state.first);
      this.#state = { ...this.#state, noise, header };
    }
    const remote = this.#readOffer(noise.readMessage(message.subarray(HEADER_LENGTH)), noise, now);
    if (header.pattern === 'IK') return { result: this.#finish(noise, header, remote) };
    negotiate('initiator', this.#offer, remote);
    const reply = concatBytes(encodeHeader(header), noise.writeMessage(encodeOffer(this.#offer)));
    return { reply, result: this.#finish(noise, header, remote) };
  }

  /** Responder. XX and XXfallback: `-> s, se`. */
  #receiveThird(message: Uint8Array, header: Header, now: number): HandshakeStep {
    if (this.#state.phase !== 'underway' || header.pattern !== this.#state.header.pattern)
      throw invalidMessage();
    const { noise } = this.#state;
    const remote = this.#readOffer(noise.readMessage(message.subarray(HEADER_LENGTH)), noise, now);
    return { result: this.#finish(noise, header, remote) };
  }

  /** Checks who speaks (NZ-HANDSHAKE-01 §6.2): authentic first, then expected, then current. */
  #readOffer(payload: Uint8Array, noise: HandshakeState, now: number): Offer {
    const offer = decodeOffer(payload);
    const { identity, certificate } = offer;
    const staticKey = noise.remoteStaticKey!;
    if (!isCertificateAuthentic(certificate, { identity, staticKey, primitives: this.#primitives })) {
      throw invalidMessage();
    }
    const { expectedIdentity } = this.#options;
    if (expectedIdentity && !this.#primitives.equalBytes(expectedIdentity, identity)) {
      throw new HandshakeError('IDENTITY_MISMATCH', 'another peer than the expected one answered');
    }
    if (certificate.expiresAt + CERTIFICATE_SKEW < now) {
      throw new HandshakeError('CERTIFICATE_EXPIRED', 'the certificate of the peer’s static key has expired');
    }
    return offer;
  }

  #finish(noise: HandshakeState, header: Header, remote: Offer): HandshakeResult {
    const { role } = this.#options;
    const agreement = negotiate(role, this.#offer, remote);
    const staticKey = noise.remoteStaticKey!;
    const { sendKey, receiveKey, handshakeHash } = noise.split();
    const keys = role === 'initiator' ? ([sendKey, receiveKey] as const) : ([receiveKey, sendKey] as const);
    const secrets = new ChannelSecrets(keys, handshakeHash, this.#primitives);
    this[Symbol.dispose]();
    const earlyData = role === 'responder' ? remote.earlyData : undefined;
    return {
      role,
      pattern: header.pattern,
      remote: {
        identity: remote.identity,
        staticKey,
        staticKeyExpiresAt: remote.certificate.expiresAt,
        features: remote.features,
      },
      ...agreement,
      handshakeHash,
      ...(earlyData && { earlyData }),
      isReplayable: role === 'responder' && header.pattern === 'IK',
      secrets,
    };
  }

  #createNoise(header: Header, context: Uint8Array): HandshakeState {
    const { identity, remoteStaticKey, role } = this.#options;
    const primitives = this.#primitives;
    const { name, pattern } = protocolOf(header);
    const suite = createSuite('ChaChaPoly', nativeHash('BLAKE2b', primitives), primitives);
    return new HandshakeState(suite, pattern, name, role, {
      prologue: concatBytes(PROLOGUE, context),
      staticKeyPair: identity.staticKeyPair,
      ...(header.pattern === 'IK' && role === 'initiator' && remoteStaticKey && { remoteStaticKey }),
      ...(this.#networkKey && { psks: [this.#networkKey] }),
    });
  }

  #startFallback(noise: HandshakeState, header: Header, first: Uint8Array): HandshakeState {
    const { name, pattern } = protocolOf(header);
    return noise.fallback(pattern, name, {
      prologue: concatBytes(PROLOGUE, encodeHeader(header), first),
      staticKeyPair: this.#options.identity.staticKeyPair,
      ...(this.#networkKey && { psks: [this.#networkKey] }),
    });
  }

  #addNetworkTag(message: Uint8Array): Uint8Array {
    if (!this.#networkKey) return message;
    return concatBytes(message, networkTag(this.#networkKey, message, this.#primitives));
  }

  #removeNetworkTag(message: Uint8Array): Uint8Array {
    if (!this.#networkKey) return message;
    if (message.length < HEADER_LENGTH + NETWORK_TAG_LENGTH) throw invalidMessage();
    const body = message.subarray(0, -NETWORK_TAG_LENGTH);
    const tag = networkTag(this.#networkKey, body, this.#primitives);
    if (!this.#primitives.equalBytes(tag, message.subarray(-NETWORK_TAG_LENGTH))) throw invalidMessage();
    return body;
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
