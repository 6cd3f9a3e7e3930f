import { formatAddress, parseAddress, tryParseAddress } from './address/address.ts';
import type { ByteConnection, ByteConnectionHandler } from './byte-connection.ts';
import { TransportError } from './errors.ts';
import { type Clock, systemClock } from './time/clock.ts';
import type { DialOptions, Transport } from './transport.ts';
import { Inbox } from './ws/inbox.ts';
import { packMessages, WS_HIGH_WATER } from './ws/ws-message.ts';

/** What is used of the WebSocket that browsers, Deno, Bun and Node 22 have as a global (WHATWG WebSockets §3). */
export interface StandardWebSocket {
  binaryType: string;
  readonly bufferedAmount: number;
  readonly readyState: number;
  send(data: Uint8Array): void;
  close(code?: number): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { readonly code: number }) => void): void;
}

/** How the platform's WebSocket is used. */
export interface BrowserWebSocketTransportOptions {
  /** @defaultValue the global `WebSocket` */
  readonly WebSocket?: new (
    url: string,
  ) => StandardWebSocket;
  readonly clock?: Clock;
  /** Milliseconds until a dialled socket must be open. @defaultValue 10,000 */
  readonly handshakeTimeout?: number;
}

/** WebSocket.OPEN. */
const OPEN = 1;

/**
 * What may wait while the reader is paused: a browser's WebSocket cannot be paused, so the peer is held only by the
 * credit windows of its streams, and one that ignores them is dropped.
 */
const PAUSED_LIMIT = 32 * 1024 * 1024;

/** A WebSocket has no "drained" event: how often `bufferedAmount` is looked at while a writer waits, in milliseconds. */
const DRAIN_POLL = 4;

/** Dials WebSocket addresses with the platform's own WebSocket; a browser cannot listen. */
export function createBrowserWebSocketTransport(options: BrowserWebSocketTransportOptions = {}): Transport {
  const canDial = (text: string): boolean => {
    const kind = tryParseAddress(text)?.kind;
    return kind === 'ws' || kind === 'wss';
  };
  return {
    name: 'ws',
    canDial,
    canListen: () => false,
    dial: (address, dialOptions) => dial(options, address, dialOptions),
    listen: async (address) => {
      throw new TransportError('LISTEN_FAILED', `a browser cannot listen on ${address}`);
    },
  };
}

async function dial(
  options: BrowserWebSocketTransportOptions,
  address: string,
  { signal }: DialOptions = {},
): Promise<ByteConnection> {
  signal?.throwIfAborted();
  const { clock = systemClock, handshakeTimeout = 10_000 } = options;
  const target = parseAddress(address);
  const Socket = options.WebSocket ?? (globalThis as unknown as BrowserWebSocketTransportOptions).WebSocket;
  if ((target.kind !== 'ws' && target.kind !== 'wss') || target.port === 0 || !Socket) {
    throw new TransportError('DIAL_FAILED', `cannot dial ${target.text}`);
  }
  const host = target.family === 'ip6' ? `[${target.host}]` : target.host;
  const socket = new Socket(`${target.kind}://${host}:${target.port}${target.path}`);
  socket.binaryType = 'arraybuffer';
  return new Promise((resolve, reject) => {
    const fail = (reason: unknown): void => {
      clock.clearTimeout(timeout);
      signal?.removeEventListener('abort', onAbort);
      socket.close();
      reject(reason);
    };
    const failed = (what: string) => (): void =>
      fail(new TransportError('DIAL_FAILED', `${what} at ${target.text}`));
    const onAbort = (): void => fail(signal?.reason);
    const timeout = clock.setTimeout(failed('no WebSocket in time'), handshakeTimeout);
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.addEventListener('error', failed('no WebSocket'));
    socket.addEventListener('close', failed('no WebSocket'));
    socket.addEventListener('open', () => {
      clock.clearTimeout(timeout);
      signal?.removeEventListener('abort', onAbort);
      // A browser does not tell its own address.
      const localAddress = formatAddress({ kind: target.kind, host: '0.0.0.0' });
      resolve(new BrowserWebSocketConnection(socket, clock, localAddress, target.text));
    });
  });
}

class BrowserWebSocketConnection implements ByteConnection {
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly #socket: StandardWebSocket;
  readonly #clock: Clock;
  readonly #inbox = new Inbox(PAUSED_LIMIT, () => this.#socket.close());
  #hasEnded = false;
  #drainTimer: unknown;

  constructor(socket: StandardWebSocket, clock: Clock, localAddress: string, remoteAddress: string) {
    this.#socket = socket;
    this.#clock = clock;
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    socket.addEventListener('message', ({ data }) => this.#receive(data));
    socket.addEventListener('close', ({ code }) => this.#closed(code));
  }

  start(handler: ByteConnectionHandler): void {
    this.#inbox.start(handler);
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (this.#hasEnded || socket.readyState !== OPEN) return false;
    for (const message of packMessages(chunks)) socket.send(message);
    if (socket.bufferedAmount <= WS_HIGH_WATER) return true;
    this.#drainTimer ??= this.#clock.setTimeout(() => this.#pollDrain(), DRAIN_POLL);
    return false;
  }

  pause(): void {
    this.#inbox.isPaused = true;
  }

  resume(): void {
    this.#inbox.isPaused = false;
    queueMicrotask(() => this.#inbox.flush());
  }

  end(): void {
    if (this.#hasEnded || this.#socket.readyState !== OPEN) return;
    this.#hasEnded = true;
    this.#socket.send(new Uint8Array(0));
    this.#closeWhenBothEnded();
  }

  destroy(error?: Error): void {
    this.#stopPolling();
    this.#inbox.close(error);
    this.#socket.close();
  }

  #pollDrain(): void {
    this.#drainTimer = undefined;
    if (this.#socket.readyState !== OPEN) return;
    // Not "empty": the next look is milliseconds away, and the wire must not fall idle until then.
    if (this.#socket.bufferedAmount <= WS_HIGH_WATER / 2) this.#inbox.drained();
    else this.#drainTimer = this.#clock.setTimeout(() => this.#pollDrain(), DRAIN_POLL);
  }

  #stopPolling(): void {
    this.#clock.clearTimeout(this.#drainTimer);
    this.#drainTimer = undefined;
  }

  #receive(data: unknown): void {
    try {
      this.#inbox.receiveMessage(data instanceof ArrayBuffer ? new Uint8Array(data) : undefined);
      this.#closeWhenBothEnded();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #closeWhenBothEnded(): void {
    if (this.#hasEnded && this.#inbox.hasEnded) this.#socket.close(1000);
  }

  #closed(code: number): void {
    this.#stopPolling();
    const isClean = this.#hasEnded && this.#inbox.hasEnded;
    this.#inbox.close(
      isClean ? undefined : new TransportError('CONNECTION_LOST', `the WebSocket closed with ${code}`),
    );
  }
}
