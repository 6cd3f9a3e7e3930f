import type { ByteConnectionHandler } from '../byte-connection.ts';
import { TransportError } from '../errors.ts';

/**
 * The receiving half of a message-carried byte stream: keeps what arrives before `start` and while paused, and calls
 * the handler in order: bytes, then the end, then exactly one close.
 */
export class Inbox {
  readonly #limit: number;
  #handler: ByteConnectionHandler | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #hasEnded = false;
  #hasReportedEnd = false;
  #closing: { error: Error | undefined } | undefined;
  #isClosed = false;
  isPaused = false;

  /** @param limit - bytes that may wait; a socket that cannot be paused is dropped above it */
  constructor(limit: number) {
    this.#limit = limit;
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
    if (this.#handler && !this.isPaused && this.#waiting.length === 0) {
      this.#handler.onData(chunk);
      return;
    }
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > this.#limit) {
      throw new TransportError('LIMIT_EXCEEDED', 'the reader is paused and the sender does not stop');
    }
    this.#waiting.push(chunk);
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
    if (!this.#closing) this.#handler?.onDrain();
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

  flush(): void {
    const handler = this.#handler;
    if (!handler || this.#isClosed) return;
    while (this.#waiting.length > 0 && !this.isPaused) {
      const chunk = this.#waiting.shift()!;
      this.#waitingBytes -= chunk.length;
      this.#handler?.onData(chunk);
    }
    if (this.#waiting.length > 0) return;
    if (this.#hasEnded && !this.#hasReportedEnd && !this.#closing?.error) {
      this.#hasReportedEnd = true;
      this.#handler?.onEnd();
    }
    if (!this.#closing || this.#isClosed) return;
    this.#isClosed = true;
    const last = this.#handler;
    this.#handler = undefined;
    last?.onClose(this.#closing.error);
  }
}
