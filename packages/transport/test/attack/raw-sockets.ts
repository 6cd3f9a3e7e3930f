import { connect, type Socket } from 'node:net';

/** Attackers come from another loopback address than honest peers, as they would from another machine. */
export const ATTACKER_ADDRESS = '127.0.0.2';

/** A TCP connection to the victim that knows nothing of the protocol. Never rejects with a reset: that is what an attacker expects. */
export function openSocket(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: ATTACKER_ADDRESS, noDelay: true });
    socket.on('error', () => undefined);
    socket.once('connect', () => resolve(socket));
    socket.once('close', () => resolve(socket));
  });
}

/** Resolves when the victim, or anybody, has closed the socket. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

/** Runs `work` for the numbers 0 to `count` - 1, `lanes` of them at once, until done or aborted. @returns how many were done. */
export async function repeat(
  count: number,
  { lanes, signal }: { readonly lanes: number; readonly signal: AbortSignal },
  work: (index: number) => Promise<void>,
): Promise<number> {
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (next < count && !signal.aborted) {
      const index = next++;
      await work(index);
      done++;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return done;
}
