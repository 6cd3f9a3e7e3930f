import type { ByteConnection } from '../byte-connection.ts';
import { limitKeys } from '../host-rate.ts';
import { createMessageMemory, type Line, type MessageMemory } from '../messages/memory-budget.ts';
import { ResetCode } from '../mux/frames.ts';
import type { HeldBytes } from '../mux/held-bytes.ts';
import type { MuxBudget } from '../mux/mux-host.ts';
import type { StreamTable } from '../mux/stream-table.ts';
import type { RecordChannel } from './record-channel.ts';
import type { SecureConnectionOptions } from './secure-connection.ts';

/** What an open stream costs with the promises of its handler, in bytes: without a common bound many connections of many streams fill memory. */
const STREAM_COST = 2048;
/** Streams of the remote side that cost nothing of the budget: a connection of few streams needs none. */
const FREE_STREAMS = 64;
/** Streams that are ended at once when somebody else needs their memory. */
const STREAMS_SHED = 32;

/** Whose streams they are. */
interface BudgetHost {
  readonly mux: { readonly streams: StreamTable; readonly held: HeldBytes };
  readonly records: Pick<RecordChannel, 'channel'>;
}

/** A connection's part of the memory that all connections share: for bodies of messages, for what streams hold, and for open streams. */
export class StreamBudget implements MuxBudget {
  // Not the options: they hold what the handshake has left, for as long as the connection lives.
  readonly #limits: SecureConnectionOptions['limits'];
  readonly #shared: SecureConnectionOptions['sharedMemory'];
  readonly #timers: SecureConnectionOptions['timers'];
  readonly #bytes: ByteConnection;
  readonly #host: BudgetHost;
  #messages: MessageMemory | undefined;
  #streams = 0;

  constructor(options: SecureConnectionOptions, host: BudgetHost) {
    this.#limits = options.limits;
    this.#shared = options.sharedMemory;
    this.#timers = options.timers;
    this.#bytes = options.bytes;
    this.#host = host;
  }

  /** Made when it is first asked for: an idle connection has none. */
  get messages(): MessageMemory {
    this.#messages ??= createMessageMemory({
      ...this.#limits,
      shared: this.#shared,
      timers: this.#timers,
      // All of a subnet share as one.
      group: limitKeys(this.#bytes.remoteAddress)?.subnet,
      shed: () => this.#shed(),
      line: () => this.#line(),
    });
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

  get isScarce(): boolean {
    // Who holds nothing that counts has taken nothing of it.
    return this.#messages?.isScarce ?? false;
  }

  cover(bytes: number): boolean {
    // The windows of a connection bound it, where there is nobody to share with.
    if (this.#shared === undefined) return true;
    const { messages } = this;
    if (!messages.cover(bytes)) return false;
    if (bytes > 0) messages.watch(this.#host.mux.held);
    else messages.unwatch(this.#host.mux.held);
    return true;
  }

  #line(): Line {
    const { mux, records } = this.#host;
    const { receivedBytes, sentBytes } = records.channel.counters;
    return { received: receivedBytes, sent: sentBytes, streams: mux.streams.size };
  }

  #shed(): boolean {
    const before = this.#streams;
    const count = Math.min(STREAMS_SHED, before - FREE_STREAMS);
    if (count > 0) this.#host.mux.streams.endNewest(count, ResetCode.overBudget);
    return this.#streams < before;
  }
}
