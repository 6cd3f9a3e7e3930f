import type { ByteConnectionHandler } from '../byte-connection.ts';
import { TransportError } from '../errors.ts';
import { callOwner } from '../owner-hook.ts';
import { FIRST_READ, type ReadTurns, type TurnTaker } from '../tcp/read-turns.ts';

/** How an inbox takes turns with others. */
export interface InboxTurns {
  readonly turns: ReadTurns;
  /** Its turn is over: the socket should bring nothing more; or it has come again. */
  readonly onTurn: (isMine: boolean) => void;
}

/**
 * The receiving half of a message-carried byte stream: keeps what arrives before `start` and while paused, and calls
 * the handler in order: bytes, then the end, then exactly one close.
 */
export class Inbox implements TurnTaker {
  readonly #limit: number;
  readonly #onThrown: () => void;
  readonly #turns: InboxTurns | undefined;
  readSize: number = FIRST_READ;
  #isWaitingForTurn = false;
  #handler: ByteConnectionHandler | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #hasEnded = false;
  #hasReportedEnd = false;
  #closing: { error: Error | undefined } | undefined;
  #isClosed = false;
  isPaused = false;

  /**
   * @param limit - bytes that may wait; a socket that cannot be paused is dropped above it
   * @param onThrown - the handler threw: the socket is of no more use
   */
  constructor(limit: number, onThrown: () => void, turns?: InboxTurns) {
    this.#limit = limit;
    this.#onThrown = onThrown;
    this.#turns = turns;
  }

  /** What arrives waits: the reader has paused, or it is the turn of others. */
  get isHeld(): boolean {
    return this.isPaused || this.#isWaitingForTurn;
  }

  /** The remote side said that it will send no more. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  start(handler: ByteConnectionHandler): void {
    this.#handler = handler;
    // Never from inside of `start`: its caller has not stored the connection yet.
    queueMicrotask(() => this.flush());
  }

  /** @throws TransportError `PROTOCOL_ERROR` for bytes after the end; `LIMIT_EXCEEDED` when too many wait. */
  push(chunk: Uint8Array): void {
    if (this.#closing) return;
    if (this.#hasEnded) throw new TransportError('PROTOCOL_ERROR', 'bytes after the end of the stream');
    const isNext = this.#handler !== undefined && !this.isHeld && this.#waiting.length === 0;
    const rest = isNext ? this.#deliver(chunk) : chunk;
    if (rest.length === 0) return;
    this.#waitingBytes += rest.length;
    if (this.#waitingBytes > this.#limit) {
      throw new TransportError('LIMIT_EXCEEDED', 'the reader is paused and the sender does not stop');
    }
    this.#waiting.push(rest);
  }

  /**
   * Takes one message of a WebSocket: bytes, or an empty one as the end marker.
   * @throws TransportError `PROTOCOL_ERROR` for text, and as `push` and `end`
   */
  receiveMessage(message: Uint8Array | undefined): void {
    if (!message) throw new TransportError('PROTOCOL_ERROR', 'a text message');
    if (message.length > 0) this.push(message);
    else this.end();
  }

  /** The remote side's end marker. @throws TransportError `PROTOCOL_ERROR` for a second one. */
  end(): void {
    if (this.#closing) return;
    if (this.#hasEnded) throw new TransportError('PROTOCOL_ERROR', 'the stream ended twice');
    this.#hasEnded = true;
    this.flush();
  }

  drained(): void {
    this.#guard(() => {
      if (!this.#closing) this.#handler?.onDrain();
    });
  }

  /** The connection is gone. After a clean end what waits is still delivered; after an error it is dropped. */
  close(error?: Error): void {
    if (this.#closing) return;
    this.#closing = { error };
    if (error) {
      this.#waiting = [];
      this.#waitingBytes = 0;
    }
    queueMicrotask(() => this.flush());
  }

  /** Its turn has come again. */
  goOn(): void {
    this.#guard(() => {
      this.#isWaitingForTurn = this.#turns?.turns.work(this, this.#handler) === false;
    });
    if (this.#isWaitingForTurn) return;
    this.flush();
    if (!this.#isWaitingForTurn) this.#turns?.onTurn(true);
  }

  flush(): void {
    this.#guard(() => this.#flush());
  }

  /** What a handler throws ends its connection, and not the process. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.close(error as Error);
      this.#onThrown();
    }
  }

  #flush(): void {
    const handler = this.#handler;
    if (!handler || this.#isClosed) return;
    while (this.#waiting.length > 0 && !this.isHeld) {
      const chunk = this.#waiting.shift()!;
      const rest = this.#deliver(chunk);
      this.#waitingBytes -= chunk.length - rest.length;
      if (rest.length > 0) this.#waiting.unshift(rest);
    }
    if (this.#waiting.length > 0 || this.#isWaitingForTurn) return;
    if (this.#hasEnded && !this.#hasReportedEnd && !this.#closing?.error) {
      this.#hasReportedEnd = true;
      this.#handler?.onEnd();
    }
    if (!this.#closing || this.#isClosed) return;
    this.#isClosed = true;
    const last = this.#handler;
    this.#handler = undefined;
    this.#turns?.turns.forget(this);
    callOwner((error) => last?.onClose(error), this.#closing.error);
  }

  /** Hands bytes over until the turn is over or the reader pauses. @returns what is left */
  #deliver(chunk: Uint8Array): Uint8Array {
    if (this.#turns === undefined) {
      this.#handler?.onData(chunk);
      return chunk.subarray(chunk.length);
    }
    const { turns, onTurn } = this.#turns;
    let rest = chunk;
    while (rest.length > 0 && !this.isHeld) {
      const piece = rest.subarray(0, this.readSize);
      rest = rest.subarray(piece.length);
      const started = performance.now();
      this.#handler?.onData(piece);
      this.#isWaitingForTurn = !(turns.end(this, piece.length, started) && turns.work(this, this.#handler));
    }
    if (this.#isWaitingForTurn) onTurn(false);
    return rest;
  }
}
