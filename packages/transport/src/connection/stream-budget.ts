import { createMessageMemory, type MemoryBudget, type MessageMemory } from '../messages/memory-budget.ts';
import type { ResolvedWireLimits } from '../mux/limits.ts';

/** What an open stream costs with the promises of its handler, in bytes: without a common bound many connections of many streams fill memory. */
const STREAM_COST = 2048;
/** Streams of the remote side that cost nothing of the budget: a connection of few streams needs none. */
const FREE_STREAMS = 64;

/** A connection's part of the memory that all connections share: for bodies of messages and for open streams. */
export class StreamBudget {
  readonly #limits: ResolvedWireLimits;
  readonly #shared: MemoryBudget | undefined;
  #messages: MessageMemory | undefined;
  #streams = 0;

  constructor(limits: ResolvedWireLimits, shared: MemoryBudget | undefined) {
    this.#limits = limits;
    this.#shared = shared;
  }

  /** Made when it is first asked for: an idle connection has none. */
  get messages(): MessageMemory {
    this.#messages ??= createMessageMemory({ ...this.#limits, shared: this.#shared });
    return this.#messages;
  }

  /** There is room for one more stream of the remote side. */
  take(): boolean {
    const isTaken = this.#streams < FREE_STREAMS || this.messages.take(STREAM_COST);
    if (isTaken) this.#streams += 1;
    return isTaken;
  }

  /** A stream that was taken is over. */
  give(): void {
    if (this.#streams > FREE_STREAMS) this.messages.give(STREAM_COST);
    this.#streams -= 1;
  }
}
