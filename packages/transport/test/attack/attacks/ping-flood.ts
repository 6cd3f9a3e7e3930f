import { FrameType } from '../../../src/mux/frames.ts';
import type { Attack } from '../attack.ts';
import { frame, numbers, openRawPeer } from '../raw-peer.ts';

const perRecord = 2000;

/** Pings for ever, as fast as the socket takes it; connects again when it is thrown out. */
export const attack: Attack = async ({ port, signal }) => {
  let pings = 0;
  let connections = 0;
  while (!signal.aborted) {
    const peer = await openRawPeer(port);
    if (peer === undefined) continue;
    connections++;
    peer.socket.resume();
    const flood = Array.from({ length: perRecord }, (_, index) =>
      frame(FrameType.ping, 0, numbers(0, index)),
    );
    while (!peer.socket.destroyed && !signal.aborted) {
      peer.send(...flood);
      pings += perRecord;
      await peer.writable();
      await new Promise(setImmediate);
    }
    peer.socket.destroy();
  }
  return { done: { pings, connections } };
};
