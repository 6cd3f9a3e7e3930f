import type { StreamChannel } from '@nzcore/crypto/channel';
import type { Timers, TimerTarget } from '../time/timers.ts';

/** The timer of a connection: for what its channel has to do, and for the end of a phase. */
export class PhaseTimer {
  readonly #timers: Timers;
  readonly #target: TimerTarget;
  readonly #channel: StreamChannel;
  /** When the phase has lasted too long. */
  #deadline: number | undefined;

  constructor(timers: Timers, target: TimerTarget, channel: StreamChannel) {
    this.#timers = timers;
    this.#target = target;
    this.#channel = channel;
    this.update();
  }

  /** Milliseconds from now. */
  setDeadline(delay: number): void {
    this.#deadline = this.#timers.now() + delay;
    this.update();
  }

  /** Says, once, that the deadline has passed. */
  takeDeadline(now: number): boolean {
    if (this.#deadline === undefined || now < this.#deadline) return false;
    this.#deadline = undefined;
    return true;
  }

  /** The channel may have another time now; one that is disposed of has none. */
  update(): void {
    const next = this.#channel.nextTimeout;
    const at = next === undefined ? this.#deadline : Math.min(next, this.#deadline ?? next);
    this.#timers.set(this.#target, at);
  }

  clear(): void {
    this.#timers.set(this.#target, undefined);
  }
}
