import type { Attack } from '../attack.ts';
import { openSocket, repeat } from '../raw-sockets.ts';

/** Connects 10,000 times, sends nothing, and keeps every connection that it is left. */
export const attack: Attack = async ({ port, scale, signal }) => {
  const held: Awaited<ReturnType<typeof openSocket>>[] = [];
  const connects = await repeat(Math.ceil(10_000 * scale), { lanes: 50, signal }, async () => {
    held.push(await openSocket(port));
  });
  await new Promise((resolve) =>
    signal.aborted ? resolve(undefined) : signal.addEventListener('abort', resolve),
  );
  const dropped = held.filter((socket) => socket.destroyed).length;
  for (const socket of held) socket.destroy();
  return { done: { connects, dropped } };
};
