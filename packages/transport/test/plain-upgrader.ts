import { CryptoError } from '@nzcore/crypto';
import type { PeerId } from '@nzcore/identity';
import type { ByteConnection } from '../src/byte-connection.ts';
import type { Connection, ConnectionStats } from '../src/connection/connection.ts';
import type { Upgrader } from '../src/connection/upgrader.ts';
import { TransportError } from '../src/errors.ts';
import { createMessageMemory, type MessageMemory } from '../src/messages/memory-budget.ts';
import type { Stream } from '../src/mux/stream.ts';

/**
 * An upgrader without cryptography, for tests of what is above it on a fake clock: lines of text over the byte stream.
 * Both sides say hello with their PeerId; then ping, pong and bye.
 */
export interface PlainUpgrader extends Upgrader {
  /** Static keys that the dialler was given, in order. */
  readonly keysSeen: (Uint8Array | undefined)[];
  /** Connections stop answering and reading, as those of a machine that lost its power. */
  freeze(): void;
}

export interface PlainUpgraderOptions {
  readonly peer: PeerId;
  /** No handshake can be made with a cached key, as with one that is of small order. */
  readonly refusesKeys?: boolean;
}

export function createPlainUpgrader({ peer, refusesKeys = false }: PlainUpgraderOptions): PlainUpgrader {
  const keysSeen: (Uint8Array | undefined)[] = [];
  let isFrozen = false;
  const upgrade = (
    bytes: ByteConnection,
    direction: 'inbound' | 'outbound',
    signal: AbortSignal,
    expected?: string,
  ): Promise<Connection> =>
    new Promise((resolve, reject) => {
      const connection = new PlainConnection(bytes, peer, direction, () => isFrozen);
      const onAbort = (): void => {
        connection.abort(signal.reason);
        reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      connection.onHello = (remote): void => {
        signal.removeEventListener('abort', onAbort);
        if (expected === undefined || remote === expected) {
          resolve(connection);
          return;
        }
        const mismatch = new TransportError('PEER_MISMATCH', 'somebody else answered');
        connection.abort(mismatch);
        reject(mismatch);
      };
      void connection.closed.then((error) =>
        reject(error ?? new TransportError('HANDSHAKE_FAILED', 'the end came before the hello')),
      );
    });
  return {
    keysSeen,
    freeze: () => {
      isFrozen = true;
    },
    outbound: async (bytes, { signal, expectedPeer, remoteStaticKey }) => {
      await bytes;
      keysSeen.push(remoteStaticKey);
      if (refusesKeys && remoteStaticKey) {
        const cause = new CryptoError('INVALID_KEY', 'a key that is none');
        throw new TransportError('HANDSHAKE_FAILED', 'no message can be made', { cause });
      }
      return upgrade(await bytes, 'outbound', signal, expectedPeer);
    },
    inbound: (bytes, { signal }) => upgrade(bytes, 'inbound', signal),
  };
}

class PlainConnection implements Connection {
  remotePeer = '' as PeerId;
  readonly localPeer: PeerId;
  readonly remoteStaticKey: Uint8Array = new Uint8Array(32).fill(7);
  readonly remoteStaticKeyExpiresAt: number = Number.MAX_SAFE_INTEGER;
  readonly direction: 'inbound' | 'outbound';
  readonly version = 1;
  readonly features: readonly string[] = [];
  readonly isResumed = false;
  readonly channelBinding: Uint8Array = new Uint8Array(64);
  readonly closed: Promise<Error | undefined>;
  readonly messageMemory: MessageMemory = createMessageMemory({
    maxMessageBytes: 2 ** 20,
    maxMessageStreams: 16,
  });
  isOpen = true;
  streams = 0;
  onHello: (peer: string) => void = () => {};
  readonly #bytes: ByteConnection;
  #close: (error: Error | undefined) => void = () => {};
  #text = '';
  #received = 0;
  #pongs: (() => void)[] = [];
  #error: Error | undefined;

  constructor(
    bytes: ByteConnection,
    peer: PeerId,
    direction: 'inbound' | 'outbound',
    isFrozen: () => boolean,
  ) {
    this.#bytes = bytes;
    this.localPeer = peer;
    this.direction = direction;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    bytes.start({
      onData: (chunk) => {
        if (isFrozen()) return;
        this.#received += chunk.length;
        this.#text += new TextDecoder().decode(chunk);
        for (let at = this.#text.indexOf('\n'); at >= 0; at = this.#text.indexOf('\n')) {
          const line = this.#text.slice(0, at);
          this.#text = this.#text.slice(at + 1);
          this.#receive(line);
        }
      },
      onDrain: () => {},
      onEnd: () => {
        this.isOpen = false;
        bytes.end();
      },
      onClose: (error) => {
        this.isOpen = false;
        this.#close(this.#error ?? error);
      },
    });
    this.#send(`hello ${peer}`);
  }

  get remoteAddress(): string {
    return this.#bytes.remoteAddress;
  }

  get localAddress(): string {
    return this.#bytes.localAddress;
  }

  get stats(): ConnectionStats {
    return {
      bytesReceived: this.#received,
      bytesSent: 0,
      recordsReceived: 0,
      recordsSent: 0,
      streams: this.streams,
      streamsOpened: 0,
      streamsAccepted: 0,
      unreadBytes: 0,
      roundTrip: undefined,
    };
  }

  async openStream(protocol: string): Promise<Stream> {
    if (!this.isOpen) throw new TransportError('GOING_AWAY', 'closing');
    this.streams++;
    this.#send(`open ${protocol}`);
    return { protocol, connection: this } as unknown as Stream;
  }

  ping({ signal }: { signal?: AbortSignal } = {}): Promise<number> {
    this.#send('ping');
    return new Promise((resolve, reject) => {
      this.#pongs.push(() => resolve(1));
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      void this.closed.then(() => reject(new TransportError('CONNECTION_CLOSED', 'gone')));
    });
  }

  async close({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    this.isOpen = false;
    signal?.addEventListener('abort', () => this.abort(signal.reason), { once: true });
    // Streams of this connection never end by themselves.
    if (this.streams === 0) this.#bytes.end();
    await this.closed;
  }

  abort(error: Error = new TransportError('CONNECTION_CLOSED', 'aborted')): void {
    this.isOpen = false;
    this.#error ??= error;
    this.#bytes.destroy(error);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #send(line: string): void {
    this.#bytes.write([new TextEncoder().encode(`${line}\n`)]);
  }

  #receive(line: string): void {
    const [word, argument = ''] = line.split(' ');
    if (word === 'hello') {
      this.remotePeer = argument as PeerId;
      this.onHello(argument);
    } else if (word === 'ping') this.#send('pong');
    else if (word === 'pong') this.#pongs.shift()?.();
  }
}
