import type { Attack } from '../attack.ts';
import { createRawHandshake, framed } from '../raw-peer.ts';
import { closed, openSocket, repeat } from '../raw-sockets.ts';

/** Resets the connection at every point of the handshake: after each byte of the first message, and after each of the third. */
export const attack: Attack = async ({ port, scale, signal }) => {
  const first = framed(createRawHandshake().start(Date.now()));
  const counts = { firstMessage: 0, thirdMessage: 0 };
  await repeat(Math.ceil(10_000 * scale), { lanes: 10, signal }, async (index) => {
    const socket = await openSocket(port);
    if (index % 2 === 0) {
      socket.write(first.subarray(0, (index / 2) % (first.length + 1)));
      counts.firstMessage++;
    } else {
      await sendPartOfThird(socket, (index - 1) / 2);
      counts.thirdMessage++;
    }
    await new Promise(setImmediate);
    socket.resetAndDestroy();
    await closed(socket);
  });
  return { done: counts };
};

async function sendPartOfThird(socket: Awaited<ReturnType<typeof openSocket>>, index: number): Promise<void> {
  const handshake = createRawHandshake();
  socket.write(framed(handshake.start(Date.now())));
  let received = Buffer.alloc(0);
  const answer = await new Promise<Uint8Array | undefined>((resolve) => {
    socket.once('close', () => resolve(undefined));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE()) return;
      resolve(handshake.receive(received.subarray(2, 2 + received.readUInt16BE()), Date.now()).reply);
    });
  });
  if (answer === undefined) return;
  const third = framed(answer);
  socket.write(third.subarray(0, index % third.length));
}
