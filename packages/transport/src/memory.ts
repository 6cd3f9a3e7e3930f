import { parseAddress, tryParseAddress } from './address/address.ts';
import type { ByteConnection, ByteConnectionHandler } from './byte-connection.ts';
import { TransportError } from './errors.ts';
import { callOwner, handToOwner } from './owner-hook.ts';
import { behindTurn } from './time/event-loop.ts';
import type { Listener, ListenOptions, Transport } from './transport.ts';

/** Names that memory transports listen on: those that share a network reach each other. */
export interface MemoryNetwork {
  readonly listeners: Map<string, (connection: ByteConnection) => void>;
  /** Numbers the dialling ends. */
  nextDialler: number;
}

/** Which network a memory transport is on. */
export interface MemoryTransportOptions {
  /** @defaultValue a network of its own: reaches only itself */
  readonly network?: MemoryNetwork;
  /**
   * Runs a delivery later, never at once.
   * @defaultValue `setImmediate` where there is one, else `setTimeout`
   */
  readonly defer?: (deliver: () => void) => void;
}

/** Bytes in flight above which `write` answers false, as a socket buffer would. */
const HIGH_WATER = 64 * 1024;

/** A network that exists in this process only. */
export function createMemoryNetwork(): MemoryNetwork {
  return { listeners: new Map(), nextDialler: 1 };
}

/** Byte streams between peers of one process: for tests, and for a peer that talks to itself in two roles. */
export function createMemoryTransport(options: MemoryTransportOptions = {}): Transport {
  const { network = createMemoryNetwork(), defer = behindTurn } = options;
  const understands = (text: string): boolean => tryParseAddress(text)?.kind === 'memory';
  return {
    name: 'memory',
    canDial: understands,
    canListen: understands,
    dial: async (address, { signal } = {}) => {
      signal?.throwIfAborted();
      const { kind, text } = parseAddress(address);
      const accept = kind === 'memory' ? network.listeners.get(text) : undefined;
      if (!accept) throw new TransportError('DIAL_FAILED', `nobody listens on ${text}`);
      const [near, far] = createMemoryPair(`/memory/dialler-${network.nextDialler++}`, text, defer);
      defer(() => accept(far));
      return near;
    },
    listen: async (address, listenOptions) => listen(network, address, listenOptions),
  };
}

function listen(network: MemoryNetwork, address: string, options: ListenOptions): Listener {
  options.signal?.throwIfAborted();
  const { kind, text } = parseAddress(address);
  if (kind !== 'memory' || network.listeners.has(text)) {
    throw new TransportError('LISTEN_FAILED', `cannot listen on ${text}`);
  }
  const accept = (connection: ByteConnection): void => handToOwner(connection, options);
  network.listeners.set(text, accept);
  return {
    addresses: [text],
    [Symbol.asyncDispose]: async () => {
      if (network.listeners.get(text) === accept) network.listeners.delete(text);
    },
  };
}

/** Both ends of a byte stream in memory. */
export function createMemoryPair(
  nearAddress = '/memory/near',
  farAddress = '/memory/far',
  defer: (deliver: () => void) => void = behindTurn,
): [ByteConnection, ByteConnection] {
  const near = new MemoryConnection(nearAddress, farAddress, defer);
  const far = new MemoryConnection(farAddress, nearAddress, defer);
  near.join(far);
  far.join(near);
  return [near, far];
}

/** One end. What it receives waits in `inbox` until it is started and not paused. */
class MemoryConnection implements ByteConnection {
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly #defer: (deliver: () => void) => void;
  #other: MemoryConnection | undefined;
  #handler: ByteConnectionHandler | undefined;
  #inbox: Uint8Array[] = [];
  #inboxBytes = 0;
  #isPaused = false;
  #isScheduled = false;
  #otherWantsDrain = false;
  #hasEnded = false;
  #otherHasEnded = false;
  #hasReportedEnd = false;
  #closing: { error: Error | undefined } | undefined;
  #isClosed = false;

  constructor(localAddress: string, remoteAddress: string, defer: (deliver: () => void) => void) {
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    this.#defer = defer;
  }

  join(other: MemoryConnection): void {
    this.#other = other;
  }

  start(handler: ByteConnectionHandler): void {
    this.#handler = handler;
    this.#schedule();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const other = this.#other;
    if (!other || this.#hasEnded || this.#closing) return false;
    for (const chunk of chunks) {
      if (chunk.length === 0) continue;
      other.#inbox.push(chunk);
      other.#inboxBytes += chunk.length;
    }
    other.#schedule();
    if (other.#inboxBytes <= HIGH_WATER) return true;
    other.#otherWantsDrain = true;
    return false;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#schedule();
  }

  end(): void {
    if (this.#hasEnded || this.#closing) return;
    this.#hasEnded = true;
    this.#other?.endedByOther();
    this.#schedule();
  }

  destroy(error?: Error): void {
    if (this.#closing) return;
    const other = this.#other;
    this.#close(error);
    other?.lostOther();
  }

  endedByOther(): void {
    this.#otherHasEnded = true;
    this.#schedule();
  }

  lostOther(): void {
    this.#close(new TransportError('CONNECTION_LOST', 'the other end dropped the connection'));
  }

  drained(): void {
    this.#guard(() => {
      if (!this.#closing) this.#handler?.onDrain();
    });
  }

  #close(error: Error | undefined): void {
    if (this.#closing) return;
    this.#closing = { error };
    this.#inbox = [];
    this.#inboxBytes = 0;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    this.#defer(() => {
      this.#isScheduled = false;
      this.#guard(() => this.#deliver());
    });
  }

  /** What a handler throws ends its connection, and nothing else. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #deliver(): void {
    const handler = this.#handler;
    if (!handler || this.#isClosed) return;
    while (this.#inbox.length > 0 && !this.#isPaused && !this.#closing) this.#deliverChunk();
    if (this.#otherWantsDrain && this.#inbox.length === 0) {
      this.#otherWantsDrain = false;
      this.#other?.drained();
    }
    if (this.#otherHasEnded && this.#inbox.length === 0 && !this.#hasReportedEnd && !this.#closing) {
      this.#hasReportedEnd = true;
      this.#handler?.onEnd();
    }
    if (this.#hasReportedEnd && this.#hasEnded) this.#closing ??= { error: undefined };
    if (this.#closing) this.#reportClose(this.#closing.error);
  }

  #deliverChunk(): void {
    const chunk = this.#inbox.shift()!;
    this.#inboxBytes -= chunk.length;
    // A copy that is overwritten afterwards: a handler that keeps borrowed bytes is found out here.
    const borrowed = new Uint8Array(chunk);
    this.#handler?.onData(borrowed);
    borrowed.fill(0xdb);
  }

  #reportClose(error: Error | undefined): void {
    this.#isClosed = true;
    const handler = this.#handler;
    this.#handler = undefined;
    this.#other = undefined;
    callOwner((reason) => handler?.onClose(reason), error);
  }
}
