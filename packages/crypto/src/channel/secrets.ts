import type { Primitives } from '../primitives.ts';
import { type ChannelKind, deriveRoots } from './key-schedule.ts';

/**
 * What a handshake hands to the channels: opaque, never printed, and each kind can be taken once, so that no key is ever
 * used by two channels.
 */
export class ChannelSecrets implements Disposable {
  readonly #primitives: Primitives;
  readonly #roots: Partial<Record<ChannelKind, Uint8Array>>;

  /** @param keys - Split's keys, the initiator's sending key first; wiped. */
  constructor(
    keys: readonly [initiator: Uint8Array, responder: Uint8Array],
    handshakeHash: Uint8Array,
    primitives: Primitives,
  ) {
    this.#primitives = primitives;
    this.#roots = { ...deriveRoots(keys, handshakeHash, primitives) };
  }

  /**
   * Hands over the root of one kind of channel; the caller owns it.
   * @throws TypeError when it was taken before, or after dispose.
   */
  take(kind: ChannelKind): Uint8Array {
    const root = this.#roots[kind];
    if (!root) throw new TypeError(`the ${kind} channel of this handshake has been created already`);
    delete this.#roots[kind];
    return root;
  }

  /** Zeroes what was not taken. Call it when no further channel will be made. */
  [Symbol.dispose](): void {
    for (const kind of ['stream', 'datagram'] as const) {
      const root = this.#roots[kind];
      if (root) this.#primitives.wipe(root);
      delete this.#roots[kind];
    }
  }
}
