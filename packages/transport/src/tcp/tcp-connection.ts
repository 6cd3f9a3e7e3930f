import type { Socket } from 'node:net';
import type { ByteConnection, ByteConnectionHandler } from '../byte-connection.ts';
import { TransportError } from '../errors.ts';
import { callOwner } from '../owner-hook.ts';
import type { SocketSource } from './tcp-receiver.ts';

/** The two ends of a socket as multiaddr text. */
export interface TcpAddresses {
  readonly localAddress: string;
  readonly remoteAddress: string;
}

/** A byte stream over a connected socket that is paused. */
export function createTcpConnection(source: SocketSource, addresses: TcpAddresses): ByteConnection {
  return new TcpConnection(source, addresses);
}

class TcpConnection implements ByteConnection {
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly takesTurns = true;
  readonly #socket: Socket;
  readonly #source: SocketSource;
  #handler: ByteConnectionHandler | undefined;
  #wantsDrain = false;
  #isPaused = false;
  #hasEnded = false;
  #isClosed = false;
  #error: Error | undefined;

  constructor(source: SocketSource, { localAddress, remoteAddress }: TcpAddresses) {
    const { socket } = source;
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    this.#socket = socket;
    this.#source = source;
    socket.on('error', (error) => {
      this.#error ??= new TransportError('CONNECTION_LOST', error.message, { cause: error });
    });
    socket.on('close', () => this.#onClose());
  }

  get heldBytes(): number {
    return this.#socket.writableLength;
  }

  start(handler: ByteConnectionHandler): void {
    const isFirst = this.#handler === undefined;
    this.#handler = handler;
    this.#source.deliverTo(handler);
    if (!isFirst) return;
    this.#socket.on('end', () => {
      this.#hasEnded = true;
      this.#tell((handler) => handler.onEnd());
    });
    if (this.#isClosed) queueMicrotask(() => this.#tellClose());
    else if (!this.#isPaused) this.#source.resume();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (!socket.writable) return false;
    if (chunks.length === 1) socket.write(chunks[0]!);
    else {
      socket.cork();
      for (const chunk of chunks) socket.write(chunk);
      socket.uncork();
    }
    // The kernel takes most writes at once; only what it left over counts, not what `write` answers.
    if (socket.writableLength === 0 || !socket.writableNeedDrain) return true;
    if (!this.#wantsDrain) socket.once('drain', () => this.#onDrain());
    this.#wantsDrain = true;
    return false;
  }

  pause(): void {
    this.#isPaused = true;
    this.#source.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#handler !== undefined) this.#source.resume();
  }

  end(): void {
    this.#socket.end();
    // Node waits for the remote side's end as well; it may never be read while paused.
    if (this.#hasEnded) this.#source.resume();
  }

  destroy(error?: Error): void {
    this.#error ??= error;
    this.#socket.destroy();
  }

  #onDrain(): void {
    this.#wantsDrain = false;
    this.#tell((handler) => handler.onDrain());
  }

  #onClose(): void {
    this.#isClosed = true;
    this.#source.deliverTo(undefined);
    this.#tellClose();
  }

  /** What a handler throws ends its connection, and not the process. */
  #tell(call: (handler: ByteConnectionHandler) => void): void {
    try {
      if (this.#handler !== undefined) call(this.#handler);
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #tellClose(): void {
    callOwner((error) => this.#handler?.onClose(error), this.#error);
  }
}
