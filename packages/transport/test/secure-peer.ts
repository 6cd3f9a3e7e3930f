import { type Identity, identityFromSeed } from '@nzcore/identity';
import { createUpgrader, type SecureUpgraderOptions } from '../src/connection/secure-upgrader.ts';
import {
  type ConnectionManager,
  type ConnectionManagerOptions,
  createConnectionManager,
} from '../src/manager/connection-manager.ts';
import type { TransportEvent } from '../src/manager/transport-event.ts';
import type { Stream } from '../src/mux/stream.ts';
import { createTcpTransport } from '../src/tcp.ts';

/** A whole peer of this package: identity, upgrade and connection manager. */
export interface SecurePeer extends AsyncDisposable {
  readonly identity: Identity;
  readonly manager: ConnectionManager;
  readonly events: TransportEvent[];
  count(type: TransportEvent['type']): number;
}

export function createSecurePeer(
  seed: number,
  options: Partial<ConnectionManagerOptions> & { secure?: Partial<SecureUpgraderOptions> } = {},
): SecurePeer {
  const { secure, ...rest } = options;
  const identity = identityFromSeed(new Uint8Array(32).fill(seed));
  const events: TransportEvent[] = [];
  const manager = createConnectionManager({
    localPeer: identity.peerId,
    upgrader: createUpgrader({ identity, ...secure }),
    transports: [createTcpTransport()],
    allowLocalAddresses: true,
    onEvent: (event) => events.push(event),
    ...rest,
  });
  return {
    identity,
    manager,
    events,
    count: (type) => events.filter((event) => event.type === type).length,
    [Symbol.asyncDispose]: async () => {
      await manager.close({ signal: AbortSignal.timeout(1_000) });
      identity[Symbol.dispose]();
    },
  };
}

/** Serves `/test/echo`: gives back what comes until the end. */
export function serveEcho(peer: SecurePeer): void {
  peer.manager.handle('/test/echo', async (stream) => {
    for await (const chunk of stream) {
      if (!stream.write(chunk)) await stream.drained();
    }
    await stream.closeWrite();
  });
}

/** Writes, ends, and gives back everything that came. */
export async function exchange(stream: Stream, bytes: Uint8Array): Promise<Uint8Array> {
  stream.write(bytes);
  const closing = stream.closeWrite();
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  await closing;
  return new Uint8Array(Buffer.concat(chunks));
}

/** Resolves when the condition holds; looks at every turn of the event loop. */
export async function until(condition: () => boolean, milliseconds = 10_000): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > end) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
