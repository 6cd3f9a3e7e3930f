import { type Identity, identityFromSeed } from '@nzcore/identity';
import type { ByteConnection } from '../src/byte-connection.ts';
import type { Connection } from '../src/connection/connection.ts';
import { upgradeInbound, upgradeOutbound } from '../src/connection/upgrade.ts';
import type { OutboundUpgradeOptions, UpgradeOptions } from '../src/connection/upgrade-options.ts';
import { createMemoryPair } from '../src/memory.ts';
import type { Stream, StreamSink } from '../src/mux/stream.ts';
import { createTcpTransport, type TcpTransportOptions } from '../src/tcp.ts';

/** Two peers with fixed seeds. */
export const alice: Identity = identityFromSeed(new Uint8Array(32).fill(1));
export const bob: Identity = identityFromSeed(new Uint8Array(32).fill(2));
export const carol: Identity = identityFromSeed(new Uint8Array(32).fill(3));

export interface Connected extends AsyncDisposable {
  readonly near: Connection;
  readonly far: Connection;
}

export interface ConnectedOptions {
  readonly near?: Partial<OutboundUpgradeOptions>;
  readonly far?: Partial<UpgradeOptions>;
  /** Byte streams to use; in memory unless given. */
  readonly bytes?: readonly [ByteConnection, ByteConnection];
}

/** Alice dials Bob. */
export async function connectPeers(options: ConnectedOptions = {}): Promise<Connected> {
  const [nearBytes, farBytes] = options.bytes ?? createMemoryPair();
  const [near, far] = await Promise.all([
    upgradeOutbound(nearBytes, {
      identity: alice.handshakeIdentity(Date.now()),
      expectedPeer: bob.peerId,
      ...options.near,
    }),
    upgradeInbound(farBytes, { identity: bob.handshakeIdentity(Date.now()), ...options.far }),
  ]);
  return {
    near,
    far,
    async [Symbol.asyncDispose]() {
      near.abort();
      far.abort();
      await Promise.all([near.closed, far.closed]);
    },
  };
}

/** Two ends of a socket on loopback. */
export async function tcpPair(
  options?: TcpTransportOptions,
): Promise<readonly [ByteConnection, ByteConnection]> {
  const transport = createTcpTransport(options);
  let accept!: (connection: ByteConnection) => void;
  const accepted = new Promise<ByteConnection>((resolve) => {
    accept = resolve;
  });
  await using listener = await transport.listen('/ip4/127.0.0.1/tcp/0', { onConnection: accept });
  const dialled = await transport.dial(listener.addresses[0]!);
  return [dialled, await accepted];
}

/** Sends back what arrives. */
export function echo(stream: Stream): void {
  stream.receive({
    onData: (chunk) => void stream.write(chunk),
    onEnd: () => void stream.closeWrite(),
    onReset: () => undefined,
  });
}

export interface Collected extends StreamSink {
  readonly chunks: Uint8Array[];
  bytes: number;
  isEnded: boolean;
  error: Error | undefined;
  /** Resolves at the end, rejects at a reset. */
  readonly done: Promise<void>;
}

/** Keeps all that arrives. */
export function collect(stream: Stream): Collected {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const done = new Promise<void>((onDone, onFailed) => {
    resolve = onDone;
    reject = onFailed;
  });
  done.catch(() => undefined);
  const collected: Collected = {
    chunks: [],
    bytes: 0,
    isEnded: false,
    error: undefined,
    done,
    onData(chunk) {
      collected.chunks.push(chunk);
      collected.bytes += chunk.length;
    },
    onEnd() {
      collected.isEnded = true;
      resolve();
    },
    onReset(error) {
      collected.error = error;
      reject(error);
    },
  };
  stream.receive(collected);
  return collected;
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
