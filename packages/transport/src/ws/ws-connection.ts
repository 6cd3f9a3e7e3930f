import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { ByteConnection, ByteConnectionHandler } from '../byte-connection.ts';
import { TransportError } from '../errors.ts';
import type { ReadTurns } from '../tcp/read-turns.ts';
import { Inbox } from './inbox.ts';
import { packMessages, WS_HIGH_WATER } from './ws-message.ts';

export interface WebSocketEnd {
  readonly webSocket: WebSocket;
  /** The socket below, for corking and its 'drain'. */
  readonly socket: Socket;
  readonly localAddress: string;
  readonly remoteAddress: string;
  /** Shared by all connections of the transport. */
  readonly turns: ReadTurns;
}

/** What one read of the socket can still deliver after `pause`: many messages, at most one socket buffer. */
const PAUSED_LIMIT = 4 * 1024 * 1024;

/** A byte stream over an open WebSocket of `ws`. Call it in the same tick as the WebSocket opened. */
export function createWebSocketConnection(end: WebSocketEnd): ByteConnection {
  return new WebSocketConnection(end);
}

class WebSocketConnection implements ByteConnection {
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly takesTurns = true;
  readonly #inbox: Inbox;
  #hasEnded = false;
  #wantsDrain = false;
  #error: Error | undefined;
  #isStarted = false;

  constructor({ webSocket, socket, localAddress, remoteAddress, turns }: WebSocketEnd) {
    this.#inbox = new Inbox(PAUSED_LIMIT, () => webSocket.terminate(), {
      turns,
      onTurn: (isMine) => (isMine ? this.#readOn() : webSocket.pause()),
    });
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    this.#webSocket = webSocket;
    this.#socket = socket;
    socket.setNoDelay(true);
    webSocket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    webSocket.on('error', (error) => {
      this.#error ??= new TransportError('CONNECTION_LOST', error.message, { cause: error });
    });
    webSocket.on('close', (code) => this.#closed(code));
    // Answered only while the peer reads: pings of one that does not would fill memory with pongs.
    webSocket.on('ping', (data) => {
      if (webSocket.readyState === webSocket.OPEN && webSocket.bufferedAmount === 0) webSocket.pong(data);
    });
    socket.on('drain', () => this.#drained());
    webSocket.pause();
  }

  start(handler: ByteConnectionHandler): void {
    this.#inbox.start(handler);
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#readOn();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const webSocket = this.#webSocket;
    if (this.#hasEnded || webSocket.readyState !== webSocket.OPEN) return false;
    this.#socket.cork();
    for (const message of packMessages(chunks)) webSocket.send(message);
    this.#socket.uncork();
    if (webSocket.bufferedAmount <= WS_HIGH_WATER) return true;
    this.#wantsDrain = true;
    return false;
  }

  pause(): void {
    this.#inbox.isPaused = true;
    this.#webSocket.pause();
  }

  resume(): void {
    this.#inbox.isPaused = false;
    queueMicrotask(() => this.#inbox.flush());
    this.#readOn();
  }

  #readOn(): void {
    if (this.#isStarted && !this.#inbox.isHeld) this.#webSocket.resume();
  }

  end(): void {
    if (this.#hasEnded || this.#webSocket.readyState !== this.#webSocket.OPEN) return;
    this.#hasEnded = true;
    this.#webSocket.send(new Uint8Array(0));
    this.#closeWhenBothEnded();
  }

  destroy(error?: Error): void {
    this.#inbox.close(error);
    this.#webSocket.terminate();
  }

  #receive(data: RawData, isBinary: boolean): void {
    try {
      this.#inbox.receiveMessage(isBinary ? (data as Buffer) : undefined);
      this.#closeWhenBothEnded();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #closeWhenBothEnded(): void {
    if (this.#hasEnded && this.#inbox.hasEnded) this.#webSocket.close(1000);
  }

  #drained(): void {
    if (!this.#wantsDrain) return;
    this.#wantsDrain = false;
    this.#inbox.drained();
  }

  #closed(code: number): void {
    const isClean = this.#hasEnded && this.#inbox.hasEnded;
    const error = this.#error ?? new TransportError('CONNECTION_LOST', `the WebSocket closed with ${code}`);
    this.#inbox.close(isClean ? undefined : error);
  }
}
