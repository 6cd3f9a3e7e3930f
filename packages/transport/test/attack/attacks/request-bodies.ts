import type { Connection } from '../../../src/connection/connection.ts';
import { encodeMessageHeader, MessageKind } from '../../../src/messages/message-frames.ts';
import type { Stream } from '../../../src/mux/stream.ts';
import type { Attack } from '../attack.ts';
import { connectPolitely } from '../polite-peer.ts';
import { repeat } from '../raw-sockets.ts';

const PIECE = new Uint8Array(65_536);
const header = new Uint8Array(8);
encodeMessageHeader(header, {
  kind: MessageKind.request,
  id: 1,
  length: PIECE.length,
  hasMore: true,
  isCompressed: false,
});

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
    const connection = await connectPolitely(port).catch(() => undefined);
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
