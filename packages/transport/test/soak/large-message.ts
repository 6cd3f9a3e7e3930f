import { setImmediate as tick } from 'node:timers/promises';
import { createMessageSender, receiveMessages } from '../../src/messages/messages.ts';
import type { SoakPeers } from './cycles.ts';

/** What a message cost while it was on its way, both sides of it being in this process. */
export interface LargeMessageCost {
  readonly bytes: number;
  /** Most bytes that were sent and not yet read, wherever they were. */
  readonly underWay: number;
  /** Growth of resident memory at the worst moment, in bytes: buffers that the collector has not looked at yet included. */
  readonly resident: number;
  readonly seconds: number;
}

const PIECE = 1024 * 1024;

/** Sends one message of that length from peer to peer, reads it piece by piece, checks every piece, and watches memory. */
export async function sendLargeMessage(peers: SoakPeers, bytes: number): Promise<LargeMessageCost> {
  let sent = 0;
  let read = 0;
  let underWay = 0;
  let resident = 0;
  const before = process.memoryUsage().rss;
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes; at += PIECE) {
      const piece = new Uint8Array(Math.min(PIECE, bytes - at)).fill((at / PIECE) % 251);
      sent += piece.length;
      underWay = Math.max(underWay, sent - read);
      yield piece;
    }
  }
  const arrived = new Promise<number>((resolve, reject) => {
    const handler = peers.listener.manager.handle('/soak/message', async (stream) => {
      let messages = 0;
      for await (const message of receiveMessages(stream)) {
        messages++;
        for await (const piece of message) {
          const expected = Math.floor(read / PIECE) % 251;
          if (piece[0] !== expected) reject(new Error(`byte ${read} is ${piece[0]} instead of ${expected}`));
          read += piece.length;
          if (read % (16 * PIECE) < piece.length)
            resident = Math.max(resident, process.memoryUsage().rss - before);
        }
      }
      handler[Symbol.dispose]();
      await stream.closeWrite();
      resolve(messages);
    });
  });
  const started = performance.now();
  const connection = await peers.dialler.manager.connect(peers.target);
  const sender = createMessageSender(await connection.openStream('/soak/message'));
  await sender.sendFrom(source());
  await sender.close();
  if ((await arrived) !== 1 || read !== bytes) throw new Error(`${read} of ${bytes} bytes arrived`);
  const seconds = (performance.now() - started) / 1000;
  connection.abort();
  await tick();
  return { bytes, underWay, resident, seconds };
}
