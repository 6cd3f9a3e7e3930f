import { createRemoteError, type TransportError } from '../errors.ts';
import type { Stream } from '../mux/stream.ts';
import type { MemoryBudget, MessageMemory } from './memory-budget.ts';

/** What one stream holds of its connection's budget. After `release` everything is given back, and nothing is taken any more. */
export class MemoryHold implements MemoryBudget {
  readonly #memory: MessageMemory;
  readonly #isCounted: boolean;
  #used = 0;
  #isReleased = false;

  private constructor(memory: MessageMemory, isCounted: boolean) {
    this.#memory = memory;
    this.#isCounted = isCounted;
  }

  /** Undefined when the peer has too many streams of this kind; those that this side opened are its own choice. */
  static open(stream: Stream): MemoryHold | undefined {
    const memory = stream.connection.messageMemory;
    const isCounted = stream.direction === 'inbound';
    return isCounted && !memory.openStream() ? undefined : new MemoryHold(memory, isCounted);
  }

  get used(): number {
    return this.#used;
  }

  take(bytes: number): boolean {
    if (this.#isReleased) return true;
    if (!this.#memory.take(bytes)) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    if (this.#isReleased) return;
    this.#used -= bytes;
    this.#memory.give(bytes);
  }

  /** The stream is over. Idempotent. */
  release(): void {
    if (this.#isReleased) return;
    this.give(this.#used);
    this.#isReleased = true;
    if (this.#isCounted) this.#memory.closeStream();
  }
}

/** The answer to who wants more of a budget than there is. */
export function overBudget(): TransportError {
  return createRemoteError('LIMIT_EXCEEDED', 'Too many bytes of messages are held for the peer.');
}
