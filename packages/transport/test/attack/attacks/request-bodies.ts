import { randomBytes } from 'node:crypto';
import { identityFromSeed } from '@nzcore/identity';
import type { Connection } from '../../../src/connection/connection.ts';
import { upgradeOutbound } from '../../../src/connection/upgrade.ts';
import { encodeMessageHeader, MessageKind } from '../../../src/messages/message-frames.ts';
import type { Stream } from '../../../src/mux/stream.ts';
import { ReadTurns } from '../../../src/tcp/read-turns.ts';
import { createTcpConnection } from '../../../src/tcp/tcp-connection.ts';
import { createTcpReceiver } from '../../../src/tcp/tcp-receiver.ts';
import type { Attack } from '../attack.ts';
import { openSocket, repeat } from '../raw-sockets.ts';

const PIECE = new Uint8Array(65_536);
const header = new Uint8Array(8);
encodeMessageHeader(header, {
  kind: MessageKind.request,
  id: 1,
  length: PIECE.length,
  hasMore: true,
  isCompressed: false,
});

/** An honest connection from the attacker's address: it keeps to every window, so that its bytes are taken. */
async function connect(port: number): Promise<Connection> {
  const source = createTcpReceiver(false, new ReadTurns()).adopt(await openSocket(port));
  const addresses = { localAddress: '/ip4/127.0.0.2/tcp/1', remoteAddress: '/ip4/127.0.0.1/tcp/1' };
  const identity = identityFromSeed(randomBytes(32)).handshakeIdentity(Date.now());
  return upgradeOutbound(createTcpConnection(source, addresses), { identity });
}

/** Requests on a thousand streams of each connection, whose bodies go on and never end. */
export const attack: Attack = async ({ port, scale, signal }) => {
  let bytes = 0;
  let refused = 0;
  const connections: Connection[] = [];
  const feed = async (connection: Connection): Promise<void> => {
    const stream: Stream = await connection.openStream('/attack/requests');
    stream.receive({ onData: () => undefined, onEnd: () => undefined, onReset: () => refused++ });
    for (let piece = 0; piece < 64 && !signal.aborted; piece++) {
      stream.write(header);
      if (!stream.write(PIECE)) await stream.drained();
      bytes += PIECE.length;
    }
  };
  await repeat(Math.ceil(20 * scale), { lanes: 4, signal }, async () => {
    const connection = await connect(port).catch(() => undefined);
    if (!connection) return;
    connections.push(connection);
    await repeat(1000, { lanes: 50, signal }, () => feed(connection).catch(() => undefined));
  });
  await new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', resolve, { once: true });
  });
  for (const connection of connections) connection.abort();
  return { done: { connections: connections.length, bytes, refused } };
};
