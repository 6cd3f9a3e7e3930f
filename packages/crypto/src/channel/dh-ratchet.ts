import type { Role } from '../noise/patterns.ts';
import type { KeyPair, Primitives } from '../primitives.ts';
import { invalidRecord } from './errors.ts';
import { type Direction, deriveTrafficSecrets, mixRoot } from './key-schedule.ts';

const KEY_LENGTH = 32;
// How many offers a peer may make at once (NZ-CHANNEL-01 §6.5); an honest one needs two in a ratchet interval.
const MAX_CREDITS = 16;

/** The traffic secrets under a new root. */
export type TrafficSecrets = Record<Direction, Uint8Array>;

/** What an answer makes: our public key for the peer, and the secrets that follow. */
export interface RatchetAnswer {
  readonly publicKey: Uint8Array;
  readonly secrets: TrafficSecrets;
}

/**
 * The Diffie-Hellman ratchet (NZ-CHANNEL-01 §6.3): offer, answer, commit. It knows keys and the order of steps; which
 * record carries them, and when each direction changes its key, is the channel's business.
 */
export class DhRatchet {
  readonly #primitives: Primitives;
  readonly #role: Role;
  #root: Uint8Array;
  #offered: KeyPair | undefined;
  #credits = MAX_CREDITS;
  /** Completed steps. */
  steps = 0;

  /** @param root - Owned from now on. */
  constructor(root: Uint8Array, role: Role, primitives: Primitives) {
    this.#root = root;
    this.#role = role;
    this.#primitives = primitives;
  }

  /** An offer was made and neither answered nor given up. */
  get isOffering(): boolean {
    return this.#offered !== undefined;
  }

  /** Makes a fresh key pair; its public key is to be sent. */
  offer(): Uint8Array {
    this.#offered = this.#primitives.x25519.generateKeyPair();
    return this.#offered.publicKey;
  }

  /** Allows the peer one more offer, because time has passed or bytes have been exchanged. */
  addCredit(): void {
    this.#credits = Math.min(this.#credits + 1, MAX_CREDITS);
  }

  /**
   * The peer offers. When both offered at once, the initiator's offer stands (§6.4): undefined means that there is nothing to do.
   * @throws ChannelError `INVALID_RECORD` for a bad key, and for more offers than an honest peer makes.
   */
  receiveOffer(remoteKey: Uint8Array): RatchetAnswer | undefined {
    if (remoteKey.length !== KEY_LENGTH || this.#credits === 0) throw invalidRecord();
    if (this.#offered && this.#role === 'initiator') return undefined;
    this.#credits -= 1;
    const pair = this.#primitives.x25519.generateKeyPair();
    try {
      const secrets = this.#mix(pair, remoteKey, { offer: remoteKey, answer: pair.publicKey });
      // Only now: a bad key must not end the exchange that is under way (§7.5).
      this.#forgetOffer();
      return { publicKey: pair.publicKey, secrets };
    } finally {
      this.#primitives.wipe(pair.secretKey);
    }
  }

  /**
   * The peer answers our offer.
   * @throws ChannelError `INVALID_RECORD` when there is none, and for a bad key.
   */
  receiveAnswer(remoteKey: Uint8Array): TrafficSecrets {
    const pair = this.#offered;
    if (!pair || remoteKey.length !== KEY_LENGTH) throw invalidRecord();
    const secrets = this.#mix(pair, remoteKey, { offer: pair.publicKey, answer: remoteKey });
    this.#forgetOffer();
    return secrets;
  }

  wipe(): void {
    this.#forgetOffer();
    this.#primitives.wipe(this.#root);
  }

  #mix(
    pair: KeyPair,
    remoteKey: Uint8Array,
    keys: { offer: Uint8Array; answer: Uint8Array },
  ): TrafficSecrets {
    let shared: Uint8Array;
    try {
      shared = this.#primitives.x25519.sharedSecret(pair.secretKey, remoteKey);
    } catch {
      throw invalidRecord();
    }
    this.#root = mixRoot(this.#root, { shared, ...keys }, this.#primitives);
    this.steps += 1;
    return deriveTrafficSecrets(this.#root, this.#primitives);
  }

  #forgetOffer(): void {
    if (this.#offered) this.#primitives.wipe(this.#offered.secretKey);
    this.#offered = undefined;
  }
}
