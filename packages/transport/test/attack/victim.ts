/** The attacked peer's process: a connection manager as a node has one, with nothing changed but the protocols. */
import { randomBytes } from 'node:crypto';
import { ready } from '@nzcore/crypto';
import { identityFromSeed } from '@nzcore/identity';
import { createUpgrader } from '../../src/connection/secure-upgrader.ts';
import { createConnectionManager } from '../../src/manager/connection-manager.ts';
import { receiveMessages } from '../../src/messages/messages.ts';
import { serveRequests } from '../../src/messages/request-server.ts';
import type { Stream } from '../../src/mux/stream.ts';
import { createTcpTransport } from '../../src/tcp.ts';
import { openUdpEndpoint } from '../../src/udp.ts';
import { disguise } from './disguise.ts';

/** Where the victim is to be found. */
export interface VictimAddress {
  readonly port: number;
  /** Of its datagram endpoint. */
  readonly udpPort: number;
  readonly peerId: string;
}

/** What the victim uses at one moment. */
export interface VictimSample {
  /** Milliseconds of the wall clock, and of CPU so far. */
  readonly time: number;
  readonly cpu: number;
  /** Bytes. */
  readonly resident: number;
  readonly heap: number;
  readonly connections: number;
}

/** Answers with what it gets, no faster than it is read. */
async function echo(stream: Stream): Promise<void> {
  for await (const chunk of stream) {
    if (!stream.write(chunk)) await stream.drained();
  }
  await stream.closeWrite();
}

/** Reads messages of at most 1 MiB and drops them. */
async function readMessages(stream: Stream): Promise<void> {
  for await (const message of receiveMessages(stream)) await message.bytes({ maxLength: 2 ** 20 });
}

await ready();
const identity = identityFromSeed(randomBytes(32));
const manager = createConnectionManager({
  localPeer: identity.peerId,
  upgrader: createUpgrader({ identity }),
  transports: [disguise(createTcpTransport())],
  protocols: {
    '/attack/echo': echo,
    '/attack/messages': readMessages,
    '/attack/requests': (stream) => serveRequests(stream, (body) => body),
  },
});
const datagrams = await openUdpEndpoint({
  identity,
  address: '/ip4/127.0.0.1/udp/0',
  onRequest: ({ content }) => content,
});
const [address] = await manager.listen('/ip4/127.0.0.1/tcp/0');
const portOf = (bound: string | undefined): number => Number(bound?.split('/').at(-1));
const port = portOf(address);

function takeSample(collect: boolean): VictimSample {
  if (collect) globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    time: performance.now(),
    cpu: (user + system) / 1000,
    resident: rss,
    heap: heapUsed,
    connections: manager.connections().length,
  };
}

process.on('message', (request) => process.send?.(takeSample(request === 'collect')));
process.on('disconnect', () => process.exit(0));
process.send?.({ port, udpPort: portOf(datagrams.address), peerId: identity.peerId } satisfies VictimAddress);
