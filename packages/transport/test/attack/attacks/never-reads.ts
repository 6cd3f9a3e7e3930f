import { FrameType, INITIAL_STREAM_WINDOW } from '../../../src/mux/frames.ts';
import type { Attack } from '../attack.ts';
import { FULL_FRAME, frame, openPayload, openRawPeer, type RawPeer } from '../raw-peer.ts';
import { repeat } from '../raw-sockets.ts';

const streams = 64;

/** Fills the windows of many streams of an echo and never reads a byte of the answers, on many connections. */
export const attack: Attack = async ({ port, scale, signal }) => {
  let bytes = 0;
  const peers: RawPeer[] = [];
  const connections = await repeat(Math.ceil(50 * scale), { lanes: 5, signal }, async () => {
    const peer = await openRawPeer(port);
    if (peer === undefined) return;
    peers.push(peer);
    for (let index = 0; index < streams && !signal.aborted; index++) {
      const id = 1 + 2 * index;
      peer.send(frame(FrameType.open, id, openPayload('/attack/echo')));
      // The victim reads as long as its answers go somewhere; after that the socket takes no more, and that is all there is to do.
      for (let sent = 0; sent < INITIAL_STREAM_WINDOW && !signal.aborted; sent += FULL_FRAME.length) {
        if (!peer.send(frame(FrameType.data, id, FULL_FRAME)))
          await Promise.race([peer.writable(), aborted(signal)]);
        bytes += FULL_FRAME.length;
      }
    }
  });
  await aborted(signal);
  for (const peer of peers) peer.socket.destroy();
  return { done: { connections, bytes } };
};

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
