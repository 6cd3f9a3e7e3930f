import type { ByteQueue } from './byte-queue.ts';
import { MAX_WINDOW } from './frames.ts';
import { COPY_BELOW, RecordBuilder, type RecordTaker } from './record-builder.ts';
import { flowControlError } from './wire-errors.ts';

/** Data that one stream may send before the next one has its turn, when several wait. */
const QUANTUM = 16 * 1024;

/**
 * Bytes of small frames that leave before the turn is over: as much as one packet carries. The other side then works on them while
 * this one still gathers. The next part of the turn is twice as large, and what is more than a few packets is gathered whole.
 */
const FIRST_PART = 1400;
const PARTS_BELOW = COPY_BELOW;

/** The sending side of a stream, as the scheduler sees it. */
export interface Sender {
  readonly id: number;
  /** Bytes that the remote side still allows for this stream. */
  sendCredit: number;
  sendQueue: ByteQueue | undefined;
  /** Is in the ring of those that wait for their turn. */
  isWaiting: boolean;
  nextWaiting: Sender | undefined;
  /** So many bytes of the queue have left. */
  onSent(bytes: number): void;
  /** The queue has become empty. */
  onQueueSent(): void;
}

export interface SchedulerHost {
  /**
   * Seals one record, which may wait for `flushRecords`; the parts may be reused when it returns.
   * @returns false when the socket has enough.
   */
  sendRecord(parts: readonly Uint8Array[]): boolean;
  /** Writes the records that wait. @returns false when the socket has enough. */
  flushRecords(): boolean;
}

/**
 * Decides what goes into the next record: control frames at once, data while there is credit and the socket takes it,
 * waiting streams in turn.
 */
export class SendScheduler implements RecordTaker {
  readonly frames: RecordBuilder;
  readonly #host: SchedulerHost;
  /** Bytes that the remote side still allows for the whole connection. */
  connectionCredit: number;
  #isBlocked = false;
  #corks = 0;
  #isFlushScheduled = false;
  /** From how many bytes on a part of this turn leaves early. */
  #nextPart = FIRST_PART;
  /** Records were sealed and perhaps not written. */
  #hasSealed = false;
  #first: Sender | undefined;
  #last: Sender | undefined;

  constructor(host: SchedulerHost, options: { connectionCredit: number; maxRecord?: number }) {
    this.#host = host;
    this.connectionCredit = options.connectionCredit;
    this.frames = new RecordBuilder(this, options.maxRecord);
  }

  /** The socket has as much as it wants: data waits for `onDrain`. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /**
   * Until `uncork`, nothing leaves by itself but what fills a packet or a record: what an incoming chunk causes leaves together,
   * or in a few parts when it is much.
   */
  cork(): void {
    this.#corks += 1;
  }

  uncork(): void {
    this.#corks -= 1;
    if (this.#corks > 0) return;
    // An acknowledgement alone goes with what the continuations of this turn have to say.
    if (this.frames.isUrgent || this.#hasSealed || this.frames.size === 0) this.flush();
    else this.scheduleFlush();
  }

  /** Seals and writes what is there, at once. */
  flush(): void {
    this.#nextPart = FIRST_PART;
    this.#write();
  }

  /** Sees to it that what is in the builder leaves in this tick. */
  scheduleFlush(): void {
    const { size } = this.frames;
    const isPart = size >= this.#nextPart && size < PARTS_BELOW && !this.#isBlocked;
    if (isPart) {
      this.#nextPart *= 2;
      this.#write();
    }
    if (this.#corks > 0 || this.#isFlushScheduled) return;
    if (size === 0 && !this.#hasSealed) return;
    this.#isFlushScheduled = true;
    endTurnOf(this);
  }

  /** The turn is over in which a flush was scheduled. */
  endTurn(): void {
    this.#isFlushScheduled = false;
    if (this.#corks === 0) this.flush();
  }

  /** For the builder: one record. */
  takeRecord(parts: readonly Uint8Array[]): void {
    this.#hasSealed = true;
    if (!this.#host.sendRecord(parts)) this.#isBlocked = true;
  }

  /** Sends what can be sent now of a stream that has nothing queued. @returns the number of bytes taken. */
  sendNow(sender: Sender, data: Uint8Array): number {
    let sent = 0;
    while (sent < data.length && !this.#isBlocked && this.#first === undefined) {
      const size = Math.min(
        data.length - sent,
        this.frames.maxData,
        sender.sendCredit,
        this.connectionCredit,
      );
      if (size <= 0) break;
      sender.sendCredit -= size;
      this.connectionCredit -= size;
      this.frames.data(sender.id, size === data.length ? data : data.subarray(sent, sent + size));
      sent += size;
    }
    if (sent > 0) this.scheduleFlush();
    return sent;
  }

  /** Gives the stream a turn; does nothing when it waits already. Call `run` afterwards. */
  wait(sender: Sender): void {
    if (sender.isWaiting) return;
    sender.isWaiting = true;
    sender.nextWaiting = undefined;
    if (this.#last === undefined) this.#first = sender;
    else this.#last.nextWaiting = sender;
    this.#last = sender;
  }

  /** The remote side allows more for the whole connection. @throws TransportError `FLOW_CONTROL` */
  grantConnection(size: number): void {
    this.connectionCredit = grown(this.connectionCredit, size);
    this.run();
  }

  /** The remote side allows more for one stream. @throws TransportError `FLOW_CONTROL` */
  grant(sender: Sender, size: number): void {
    sender.sendCredit = grown(sender.sendCredit, size);
    if (sender.sendQueue === undefined || sender.sendQueue.length === 0) return;
    this.wait(sender);
    this.run();
  }

  /** The socket wants more. */
  onDrain(): void {
    this.#isBlocked = false;
    this.cork();
    this.run();
    this.uncork();
  }

  /** Serves those that wait, in turn, until the socket or the credit says stop. */
  run(): void {
    while (!this.#isBlocked && this.connectionCredit > 0) {
      const sender = this.#takeFirst();
      if (sender === undefined) break;
      this.#serve(sender);
    }
    this.scheduleFlush();
  }

  /** Nothing will ever be sent again. */
  stop(): void {
    this.#isBlocked = true;
    this.#first = undefined;
    this.#last = undefined;
  }

  #write(): void {
    this.frames.flush();
    if (!this.#hasSealed) return;
    this.#hasSealed = false;
    if (!this.#host.flushRecords()) this.#isBlocked = true;
  }

  #takeFirst(): Sender | undefined {
    const sender = this.#first;
    if (sender === undefined) return undefined;
    this.#first = sender.nextWaiting;
    if (this.#first === undefined) this.#last = undefined;
    sender.nextWaiting = undefined;
    sender.isWaiting = false;
    return sender;
  }

  #serve(sender: Sender): void {
    const queue = sender.sendQueue;
    if (queue === undefined || queue.length === 0) return;
    const queued = queue.length;
    let turn = Math.min(
      this.#first === undefined ? this.frames.maxData : QUANTUM,
      sender.sendCredit,
      this.connectionCredit,
    );
    // Without credit the stream leaves the ring; a WINDOW frame brings it back.
    while (turn > 0 && !this.#isBlocked) {
      const chunk = queue.shift(turn);
      if (chunk === undefined) break;
      turn -= chunk.length;
      sender.sendCredit -= chunk.length;
      this.connectionCredit -= chunk.length;
      this.frames.data(sender.id, chunk);
    }
    sender.onSent(queued - queue.length);
    if (queue.length === 0) sender.onQueueSent();
    else if (sender.sendCredit > 0) this.wait(sender);
  }
}

function grown(credit: number, size: number): number {
  if (credit + size > MAX_WINDOW) throw flowControlError('A window was made too large.');
  return credit + size;
}

/**
 * What a microtask does to run a task behind the continuations of its turn, so that `await openStream(...)` and the `write`
 * behind it leave in one record. Node's ticks run when the microtasks are through; elsewhere two more microtasks nearly do.
 */
function behindMicrotasks(task: () => void): () => void {
  const { nextTick } = (globalThis.process ?? {}) as { nextTick?: (task: () => void) => void };
  if (nextTick !== undefined) return () => nextTick(task);
  const later = (): void => queueMicrotask(task);
  return () => queueMicrotask(later);
}

/** Schedulers that have something to send when the turn is over: one list for all, so that none has closures of its own. */
let waiting: SendScheduler[] = [];

const endTurns = behindMicrotasks(() => {
  const schedulers = waiting;
  waiting = [];
  for (const scheduler of schedulers) scheduler.endTurn();
});

function endTurnOf(scheduler: SendScheduler): void {
  if (waiting.push(scheduler) === 1) queueMicrotask(endTurns);
}
