import type { Connection } from '../../../src/connection/connection.ts';
import type { Attack } from '../attack.ts';
import { connectPolitely } from '../polite-peer.ts';
import { repeat } from '../raw-sockets.ts';

const PIECE = new Uint8Array(65_536);
const MiB = 1024 * 1024;

/**
 * Keeps to every window of every connection, and reads nothing of what an echo answers: so the victim holds as much of it as it may,
 * in queues and unread, on a thousand streams of each connection. Whatever it ends is opened again.
 */
export const attack: Attack = async ({ port, scale, signal }) => {
  let bytes = 0;
  let ended = 0;
  const connections: Connection[] = [];
  const hoard = async (connection: Connection): Promise<void> => {
    const stream = await connection.openStream('/attack/echo');
    // Nothing is read, so that no credit goes back; only the end is heard.
    stream.receive({ onData: () => undefined, onEnd: () => undefined, onReset: () => ended++ });
    stream.pause();
    for (let piece = 0; piece < 16 && !signal.aborted; piece++) {
      if (!stream.write(PIECE)) await Promise.race([stream.drained(), wait(2_000, signal)]);
      bytes += PIECE.length;
    }
  };
  await repeat(Math.ceil(32 * scale), { lanes: 8, signal }, async () => {
    // Its own windows are small: what it does not read is to lie at the victim.
    const limits = { maxUnreadBytes: 4 * MiB, maxStreamWindow: MiB };
    const connection = await connectPolitely(port, limits).catch(() => undefined);
    if (!connection) return;
    connections.push(connection);
    await repeat(1000, { lanes: 50, signal }, () => hoard(connection).catch(() => undefined));
  });
  await wait(180_000, signal);
  for (const connection of connections) connection.abort();
  return { done: { connections: connections.length, bytes, ended } };
};

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
  });
}
