import { randomBytes } from 'node:crypto';
import { identityFromSeed } from '@nzcore/identity';
import type { Connection } from '../../src/connection/connection.ts';
import { upgradeOutbound } from '../../src/connection/upgrade.ts';
import type { WireLimits } from '../../src/mux/limits.ts';
import { ReadTurns } from '../../src/tcp/read-turns.ts';
import { createTcpConnection } from '../../src/tcp/tcp-connection.ts';
import { createTcpReceiver } from '../../src/tcp/tcp-receiver.ts';
import { openSocket } from './raw-sockets.ts';

/** A connection from the attacker's address that keeps to every window, so that its bytes are taken. */
export async function connectPolitely(port: number, limits?: WireLimits): Promise<Connection> {
  const source = createTcpReceiver(false, new ReadTurns()).adopt(await openSocket(port));
  const addresses = { localAddress: '/ip4/127.0.0.2/tcp/1', remoteAddress: '/ip4/127.0.0.1/tcp/1' };
  const identity = identityFromSeed(randomBytes(32)).handshakeIdentity(Date.now());
  const own = limits === undefined ? {} : { limits };
  return upgradeOutbound(createTcpConnection(source, addresses), { identity, ...own });
}
