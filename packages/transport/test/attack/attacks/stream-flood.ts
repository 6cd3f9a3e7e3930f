import { FrameType } from '../../../src/mux/frames.ts';
import type { Attack } from '../attack.ts';
import { frame, openPayload, openRawPeer } from '../raw-peer.ts';

const perRecord = 1000;

/** Opens 10^6 streams without ever closing one; connects again when it is thrown out. */
export const attack: Attack = async ({ port, scale, signal }) => {
  const wanted = 1_000_000 * scale;
  const payload = openPayload('/attack/echo');
  let opens = 0;
  let connections = 0;
  while (opens < wanted && !signal.aborted) {
    const peer = await openRawPeer(port);
    if (peer === undefined) continue;
    connections++;
    peer.socket.resume();
    for (let id = 1; !peer.socket.destroyed && opens < wanted && !signal.aborted; opens += perRecord) {
      const frames = Array.from({ length: perRecord }, (_, index) =>
        frame(FrameType.open, id + 2 * index, payload),
      );
      id += 2 * perRecord;
      peer.send(...frames);
      await peer.writable();
      await new Promise(setImmediate);
    }
    peer.socket.destroy();
  }
  return { done: { opens, connections } };
};
