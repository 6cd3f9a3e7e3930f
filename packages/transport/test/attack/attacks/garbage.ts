import { randomBytes } from 'node:crypto';
import type { Attack } from '../attack.ts';
import { closed, openSocket, repeat } from '../raw-sockets.ts';

/** First messages that are noise: random bytes, the largest length, a length of zero, another protocol's greeting, eight bytes. */
export const attack: Attack = async ({ port, scale, signal }) => {
  const openings: readonly (() => Uint8Array)[] = [
    () => randomBytes(64),
    () => Uint8Array.of(0xff, 0xff, 0xff, 0xff),
    () => Buffer.concat([Uint8Array.of(0xff, 0xff), randomBytes(70_000)]),
    () => Uint8Array.of(0x00, 0x00),
    () => Buffer.from('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n'),
    () => randomBytes(8),
  ];
  const connects = await repeat(Math.ceil(10_000 * scale), { lanes: 20, signal }, async (index) => {
    const socket = await openSocket(port);
    socket.end(openings[index % openings.length]!());
    await closed(socket);
  });
  return { done: { connects } };
};
