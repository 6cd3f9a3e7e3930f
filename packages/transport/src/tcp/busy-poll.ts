import { behindTurn } from '../time/event-loop.ts';

/** Milliseconds for which the network is polled behind a read. Nobody can keep a processor busy with less than ten thousand messages a second. */
const WINDOW = 0.1;
/** Milliseconds of a wait that a poll might have caught: sleeping, and waking up, take longer than polling. */
const SHORT_WAIT = 0.2;
/** Short waits in a row before the first poll; and as many caught by polls before they count as worthwhile. */
const SHORT_RUN = 4;
const GOOD_RUN = 32;
/** Milliseconds without polls after one that was in vain: twice as long each time, until they are worthwhile again. */
const FIRST_REST = 0.5;
const LONGEST_REST = 128;

/**
 * Keeps the event loop awake between the messages of a quick exchange, as `net.core.busy_poll` of Linux does for a system call: to wake a sleeping
 * processor takes several times as long as to read, open and answer a small message. Polls only while one peer alone
 * sends, and answers within microseconds; and the rarer the more often it has polled in vain, as it does where both sides share one processor.
 */
export class BusyPoll {
  #readAt: number = Number.NEGATIVE_INFINITY;
  /** Short waits in a row. */
  #run = 0;
  #isPolling = false;
  #rest = FIRST_REST;
  #restsUntil: number = Number.NEGATIVE_INFINITY;
  readonly #defer: (task: () => void) => void;
  readonly #onTurn = (): void => this.#turn();

  /** @param defer - runs a task behind the next look at the network, before which the event loop does not sleep */
  constructor(defer: (task: () => void) => void = behindTurn) {
    this.#defer = defer;
  }

  /**
   * Counts a read.
   *
   * @param isSamePeer - who sent it sent what was read before, too
   * @param started - `performance.now()` when its work began
   * @param ended - and when it was done
   */
  onRead(isSamePeer: boolean, started: number, ended: number): void {
    const wait = started - this.#readAt;
    this.#readAt = ended;
    if (!isSamePeer || wait > SHORT_WAIT) {
      this.#run = 0;
      return;
    }
    this.#run++;
    if (this.#isPolling) {
      if (this.#run > GOOD_RUN) this.#rest = FIRST_REST;
    } else if (this.#run >= SHORT_RUN && ended > this.#restsUntil) {
      this.#isPolling = true;
      this.#run = 0;
      this.#defer(this.#onTurn);
    }
  }

  #turn(): void {
    const now = performance.now();
    if (now - this.#readAt < WINDOW) {
      this.#defer(this.#onTurn);
      return;
    }
    this.#isPolling = false;
    this.#run = 0;
    this.#restsUntil = now + this.#rest;
    this.#rest = Math.min(LONGEST_REST, this.#rest * 2);
  }
}
