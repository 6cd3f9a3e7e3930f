import type { EpochKeys } from './key-schedule.ts';
import { stepSecret } from './key-schedule.ts';
import { ReplayWindow } from './replay-window.ts';
import type { SideOptions } from './sending-side.ts';

/** How many steps a receiver derives ahead, for datagrams whose predecessors were lost (NZ-CHANNEL-01 §7.3). */
export const MAX_AHEAD = 8;

/** Keys of one epoch in the receiving direction, with the counters that were seen under them. */
export interface ReceivingEpoch {
  readonly generation: number;
  readonly step: number;
  readonly keys: EpochKeys;
  readonly window: ReplayWindow;
}

/**
 * A chain of epochs of one generation: the secret of the next step, and the epochs that have been derived from it but not
 * been used yet. Deriving ahead changes nothing that a later datagram depends on, so a forged epoch number costs a peer nothing.
 */
export class EpochChain {
  readonly generation: number;
  readonly #options: SideOptions;
  readonly #ahead: ReceivingEpoch[] = [];
  #secret: Uint8Array;
  #nextStep = 0;

  /** @param secret - The traffic secret of the generation; owned from now on. */
  constructor(generation: number, secret: Uint8Array, options: SideOptions) {
    this.generation = generation;
    this.#secret = secret;
    this.#options = options;
  }

  /** The epoch of a step that was not reached yet, at most {@link MAX_AHEAD} steps away. */
  peek(step: number): ReceivingEpoch | undefined {
    const first = this.#ahead[0]?.step ?? this.#nextStep;
    if (step < first || step >= first + MAX_AHEAD) return undefined;
    while (this.#nextStep <= step) this.#derive();
    return this.#ahead.find((epoch) => epoch.step === step);
  }

  /** The epoch was used: it leaves the chain, and what lies before it is forgotten. */
  advance(step: number): void {
    while (this.#ahead.length > 0 && this.#ahead[0]!.step <= step) {
      const epoch = this.#ahead.shift()!;
      if (epoch.step < step) epoch.keys.wipe();
    }
  }

  wipe(): void {
    this.#options.primitives.wipe(this.#secret);
    for (const epoch of this.#ahead) epoch.keys.wipe();
    this.#ahead.length = 0;
  }

  #derive(): void {
    const { recordCipher, primitives } = this.#options;
    const { keys, next } = stepSecret(this.#secret, recordCipher, primitives);
    this.#secret = next;
    const step = this.#nextStep++;
    this.#ahead.push({ generation: this.generation, step, keys, window: new ReplayWindow() });
  }
}
