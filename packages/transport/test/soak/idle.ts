import { randomBytes } from 'node:crypto';
import { identityFromSeed } from '@nzcore/identity';
import type { Connection } from '../../src/connection/connection.ts';
import { upgradeInbound, upgradeOutbound } from '../../src/connection/upgrade.ts';
import { createTcpTransport } from '../../src/tcp.ts';
import { createTimerWheel } from '../../src/time/timer-wheel.ts';
import { measureResources } from './resources.ts';

/** Bytes that one side of one idle connection costs. */
export interface IdleCost {
  readonly heap: number;
  readonly resident: number;
}

/** Opens connections that talked once, both sides in this process, and measures what they keep. */
export async function measureIdle(count: number): Promise<IdleCost> {
  const transport = createTcpTransport();
  const timers = createTimerWheel();
  const identity = identityFromSeed(randomBytes(32));
  const keys = () => ({ identity: identity.handshakeIdentity(Date.now()), timers });
  const accepted: Promise<Connection>[] = [];
  const { addresses, ...listener } = await transport.listen('/ip4/127.0.0.1/tcp/0', {
    onConnection: (bytes) => void accepted.push(upgradeInbound(bytes, keys())),
  });
  const connect = async () => upgradeOutbound(await transport.dial(addresses[0]!), keys());
  const opened: Connection[] = [];
  for (let warm = 0; warm < 20; warm++) await (await connect()).close();
  const before = await measureResources();
  for (let index = 0; index < count; index++) {
    const connection = await connect();
    await connection.ping();
    opened.push(connection);
  }
  const after = await measureResources();
  for (const connection of opened) connection.abort();
  for (const connection of await Promise.all(accepted)) await connection.closed;
  await listener[Symbol.asyncDispose]();
  const each = (growth: number): number => growth / count / 2;
  return { heap: each(after.heap - before.heap), resident: each(after.resident - before.resident) };
}
