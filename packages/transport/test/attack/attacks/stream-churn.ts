import { FrameType } from '../../../src/mux/frames.ts';
import type { Attack } from '../attack.ts';
import { frame, numbers, openPayload, openRawPeer } from '../raw-peer.ts';

const perRecord = 500;

/** Opens streams and resets them at once (the "rapid reset" of HTTP/2), 10^6 times. */
export const attack: Attack = async ({ port, scale, signal }) => {
  const wanted = 1_000_000 * scale;
  const payload = openPayload('/attack/echo');
  let resets = 0;
  let connections = 0;
  while (resets < wanted && !signal.aborted) {
    const peer = await openRawPeer(port);
    if (peer === undefined) continue;
    connections++;
    peer.socket.resume();
    for (let id = 1; !peer.socket.destroyed && resets < wanted && !signal.aborted; resets += perRecord) {
      const frames: Uint8Array[] = [];
      for (let index = 0; index < perRecord; index++, id += 2) {
        frames.push(frame(FrameType.open, id, payload), frame(FrameType.reset, id, numbers(0)));
      }
      peer.send(...frames);
      await peer.writable();
      await new Promise(setImmediate);
    }
    peer.socket.destroy();
  }
  return { done: { resets, connections } };
};
