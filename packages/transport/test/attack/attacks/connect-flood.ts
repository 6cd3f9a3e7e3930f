import type { Attack } from '../attack.ts';
import { closed, openSocket, repeat } from '../raw-sockets.ts';

/** Connects and resets 10,000 times, as fast as it can. */
export const attack: Attack = async ({ port, scale, signal }) => {
  const connects = await repeat(Math.ceil(10_000 * scale), { lanes: 50, signal }, async () => {
    const socket = await openSocket(port);
    socket.resetAndDestroy();
    await closed(socket);
  });
  return { done: { connects } };
};
