import { FrameType } from '../../../src/mux/frames.ts';
import type { Attack } from '../attack.ts';
import { frame, numbers, openPayload, openRawPeer } from '../raw-peer.ts';
import { closed, openSocket, repeat } from '../raw-sockets.ts';

const opened = frame(FrameType.open, 1, openPayload('/attack/messages'));

/** Every field that announces a length says the most that it can: in a handshake, a record, a frame, a message. */
export const attack: Attack = async ({ port, scale, signal }) => {
  const afterHandshake: readonly (readonly [unsealed: Uint8Array | undefined, ...frames: Uint8Array[]])[] = [
    [numbers(0xffff_ffff)],
    [numbers(0x7fff_ffff)],
    [undefined, frame(FrameType.data, 1, new Uint8Array(16), 0xff_ffff)],
    [
      undefined,
      opened,
      frame(FrameType.data, 1, numbers(0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff)),
    ],
    [undefined, opened, frame(FrameType.window, 1, numbers(0xffff_ffff))],
  ];
  const attempts = await repeat(Math.ceil(2000 * scale), { lanes: 10, signal }, async (index) => {
    const kind = index % (afterHandshake.length + 1);
    if (kind === afterHandshake.length) {
      const socket = await openSocket(port);
      socket.end(Uint8Array.of(0xff, 0xff));
      await closed(socket);
      return;
    }
    const peer = await openRawPeer(port);
    if (peer === undefined) return;
    const [unsealed, ...frames] = afterHandshake[kind]!;
    if (frames.length > 0) peer.send(...frames);
    if (unsealed !== undefined) peer.sendUnsealed(unsealed);
    peer.socket.resume();
    setTimeout(() => peer.socket.destroy(), 500);
    await closed(peer.socket);
  });
  return { done: { attempts } };
};
