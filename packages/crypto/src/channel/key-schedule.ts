import type { RecordCipher } from '../handshake/offer.ts';
import type { AeadKey, Primitives } from '../primitives.ts';
import { channelClosed } from './errors.ts';
import { SMALL_RECORD, writeCounter } from './record.ts';

/** The two directions of a channel, named by who sends. */
export type Direction = 'initiator' | 'responder';
/** The two kinds of channel that one handshake can feed; their keys are independent. */
export type ChannelKind = 'stream' | 'datagram';

/** Bytes of a root, of a traffic secret and of every key. */
export const SECRET_LENGTH = 32;

const encoder = new TextEncoder();
const labels = {
  roots: encoder.encode('NZ-CHANNEL-01/roots'),
  traffic: encoder.encode('NZ-CHANNEL-01/traffic'),
  step: encoder.encode('NZ-CHANNEL-01/step'),
  dh: encoder.encode('NZ-CHANNEL-01/dh'),
};

/** The root of each kind of channel (NZ-CHANNEL-01 §4.1). */
export interface Roots {
  readonly stream: Uint8Array;
  readonly datagram: Uint8Array;
}

/**
 * From Noise's two keys and the handshake hash (NZ-CHANNEL-01 §4.1).
 * @param keys - Split's keys, the initiator's sending key first; wiped.
 */
export function deriveRoots(
  keys: readonly [initiator: Uint8Array, responder: Uint8Array],
  handshakeHash: Uint8Array,
  primitives: Primitives,
): Roots {
  const ikm = new Uint8Array(2 * SECRET_LENGTH);
  ikm.set(keys[0]);
  ikm.set(keys[1], SECRET_LENGTH);
  const options = { salt: handshakeHash, info: labels.roots, length: 2 * SECRET_LENGTH };
  const output = primitives.hkdf('blake2b', ikm, options);
  const roots = { stream: output.slice(0, SECRET_LENGTH), datagram: output.slice(SECRET_LENGTH) };
  primitives.wipe(ikm, output, ...keys);
  return roots;
}

/** The first traffic secret of each direction under a root (NZ-CHANNEL-01 §4.2). The root is kept by the caller. */
export function deriveTrafficSecrets(
  root: Uint8Array,
  primitives: Primitives,
): Record<Direction, Uint8Array> {
  const output = primitives.hkdf('blake2b', root, { info: labels.traffic, length: 2 * SECRET_LENGTH });
  const secrets = { initiator: output.slice(0, SECRET_LENGTH), responder: output.slice(SECRET_LENGTH) };
  primitives.wipe(output);
  return secrets;
}

/** The next root, from a fresh X25519 result (NZ-CHANNEL-01 §6.3). The old root and the result are wiped. */
export function mixRoot(
  root: Uint8Array,
  exchange: { readonly shared: Uint8Array; readonly offer: Uint8Array; readonly answer: Uint8Array },
  primitives: Primitives,
): Uint8Array {
  const { shared, offer, answer } = exchange;
  const info = new Uint8Array(labels.dh.length + offer.length + answer.length);
  info.set(labels.dh);
  info.set(offer, labels.dh.length);
  info.set(answer, labels.dh.length + offer.length);
  const next = primitives.hkdf('blake2b', shared, { salt: root, info, length: SECRET_LENGTH });
  primitives.wipe(root, shared);
  return next;
}

// Where the parts of an epoch lie in what a step derives (NZ-CHANNEL-01 §4.3).
const CHACHA_AT = SECRET_LENGTH;
const AES_AT = 2 * SECRET_LENGTH;

/** Bytes that an epoch keeps: the next secret and both keys. */
export const EPOCH_LENGTH: number = 3 * SECRET_LENGTH;

/** Where the {@link EPOCH_LENGTH} bytes of an epoch lie: channels share an array, which costs 300 bytes beside its content. */
export interface EpochPlace {
  readonly memory: Uint8Array;
  readonly at: number;
}

/**
 * The keys of one direction in one epoch (NZ-CHANNEL-01 §4.4) and the secret of the next. A key is imported when the first record asks
 * for it.
 */
export class EpochKeys {
  readonly #recordCipher: RecordCipher;
  readonly #primitives: Primitives;
  #memory: Uint8Array | undefined;
  readonly #at: number;
  #chacha: AeadKey | undefined;
  #aes: AeadKey | undefined;

  /** Has no keys before `renew`. @param place - Zeroed by `wipe`. */
  constructor(place: EpochPlace, { recordCipher, primitives }: EpochOptions) {
    this.#memory = place.memory;
    this.#at = place.at;
    this.#recordCipher = recordCipher;
    this.#primitives = primitives;
  }

  /**
   * Goes on with another traffic secret, which is wiped; the keys before it are zeroed.
   * @throws ChannelError `CLOSED` after `wipe`.
   */
  renew(secret: Uint8Array): void {
    if (!this.#memory) throw channelClosed();
    const material = this.#primitives.hkdf('blake2b', secret, { info: labels.step, length: EPOCH_LENGTH });
    this.#forget();
    this.#memory.set(material, this.#at);
    this.#primitives.wipe(material, secret);
  }

  /**
   * The key for a record of this sealed length (§4.4); its nonce is written into `nonce` (§4.5).
   * @throws ChannelError `CLOSED` after `wipe`.
   */
  select(sealedLength: number, counter: number, nonce: Uint8Array): AeadKey {
    const cipher = this.#recordCipher;
    const isChacha =
      cipher === 'chacha20poly1305' || (cipher !== 'aes256gcm' && sealedLength <= SMALL_RECORD);
    writeCounter(nonce, counter, isChacha);
    const key = isChacha ? this.#chacha : this.#aes;
    return key ?? this.#import(isChacha);
  }

  /**
   * Hands over the secret of the next epoch, once; the caller owns it.
   * @throws ChannelError `CLOSED` after `wipe`.
   */
  takeNext(): Uint8Array {
    return this.#take(0);
  }

  wipe(): void {
    if (this.#memory) this.#primitives.wipe(this.#memory.subarray(this.#at, this.#at + EPOCH_LENGTH));
    this.#memory = undefined;
    this.#forget();
  }

  #forget(): void {
    this.#chacha?.dispose();
    this.#aes?.dispose();
    this.#chacha = undefined;
    this.#aes = undefined;
  }

  #import(isChacha: boolean): AeadKey {
    const bytes = this.#take(isChacha ? CHACHA_AT : AES_AT);
    const key = this.#primitives[isChacha ? 'chacha20poly1305' : 'aes256gcm'].importKey(bytes);
    this.#primitives.wipe(bytes);
    if (isChacha) this.#chacha = key;
    else this.#aes = key;
    return key;
  }

  /** A copy of one part, which is then zeroed where it was. */
  #take(at: number): Uint8Array {
    if (!this.#memory) throw channelClosed();
    const start = this.#at + at;
    const part = this.#memory.subarray(start, start + SECRET_LENGTH);
    const bytes = new Uint8Array(part);
    this.#primitives.wipe(part);
    return bytes;
  }
}

/** What the epochs of a channel have in common. */
export interface EpochOptions {
  readonly recordCipher: RecordCipher;
  readonly primitives: Primitives;
}

/**
 * One step of the symmetric ratchet (NZ-CHANNEL-01 §4.3): the keys of this epoch. The secret that comes in is wiped.
 * @param place - Where they are put, if not into an array of their own.
 */
export function deriveEpoch(
  secret: Uint8Array,
  options: EpochOptions,
  place: EpochPlace = { memory: new Uint8Array(EPOCH_LENGTH), at: 0 },
): EpochKeys {
  const keys = new EpochKeys(place, options);
  keys.renew(secret);
  return keys;
}

/** The same, with the secret of the next epoch apart. */
export function stepSecret(
  secret: Uint8Array,
  recordCipher: RecordCipher,
  primitives: Primitives,
): { readonly keys: EpochKeys; readonly next: Uint8Array } {
  const keys = deriveEpoch(secret, { recordCipher, primitives });
  return { keys, next: keys.takeNext() };
}
