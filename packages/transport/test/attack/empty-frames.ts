import { encodeMessageHeader, MESSAGE_HEADER_LENGTH } from '../../src/messages/message-frames.ts';
import { MAX_FRAME_DATA } from '../../src/mux/frames.ts';
import type { Stream } from '../../src/mux/stream.ts';
import type { AttackOptions } from './attack.ts';
import { connectPolitely } from './polite-peer.ts';
import { repeat } from './raw-sockets.ts';

/** What fits into one DATA frame, which is handed over in one piece. */
export const PER_FRAME: number = Math.floor(MAX_FRAME_DATA / MESSAGE_HEADER_LENGTH);
const CONNECTIONS = 8;
const STREAMS = 4;

/** Frames of the message layer without a payload, numbered on from `first`. */
export function emptyFrames(kind: number, first: number): Uint8Array {
  const bytes = new Uint8Array(PER_FRAME * MESSAGE_HEADER_LENGTH);
  for (let at = 0; at < PER_FRAME; at++) {
    const header = { kind, id: first + at, length: 0, hasMore: false, isCompressed: false };
    encodeMessageHeader(bytes.subarray(at * MESSAGE_HEADER_LENGTH), header);
  }
  return bytes;
}

/** Fills every window of four streams of eight connections with them; what comes back is read. */
export async function floodWithEmptyFrames(
  { port, scale, signal }: AttackOptions,
  { kind, protocol }: { readonly kind: number; readonly protocol: string },
) {
  const done = { connections: 0, streams: 0, frames: 0, answers: 0 };
  const feed = async (stream: Stream): Promise<void> => {
    done.streams++;
    stream.receive({
      onData: (chunk) => {
        done.answers += chunk.length / MESSAGE_HEADER_LENGTH;
      },
      onEnd: () => undefined,
      onReset: () => undefined,
    });
    for (let first = 1; !signal.aborted; first += PER_FRAME) {
      if (!stream.write(emptyFrames(kind, first))) await stream.drained({ signal });
      done.frames += PER_FRAME;
    }
  };
  const lanes = Math.ceil(CONNECTIONS * scale);
  await repeat(lanes, { lanes, signal }, async () => {
    const connection = await connectPolitely(port).catch(() => undefined);
    if (connection === undefined) return;
    done.connections++;
    const feeds = Array.from({ length: STREAMS }, async () => feed(await connection.openStream(protocol)));
    await Promise.allSettled(feeds);
    connection.abort();
  });
  return { done };
}
