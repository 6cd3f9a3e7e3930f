import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { encodeData, encodeHandshake, encodeHello } from '../../../src/udp/datagram-packet.ts';
import type { Attack } from '../attack.ts';
import { createRawHandshake } from '../raw-peer.ts';
import { ATTACKER_ADDRESS } from '../raw-sockets.ts';

const PER_TURN = 50;

/** Datagrams as fast as the socket takes them: hellos, old and new, answers and data of sessions that do not exist, noise. */
export const attack: Attack = async ({ udpPort, scale, signal }) => {
  const socket = createSocket('udp4');
  socket.bind(0, ATTACKER_ADDRESS);
  await once(socket, 'listening');
  const name = (): string => randomBytes(8).toString('hex');
  const hello = createRawHandshake().start(Date.now());
  const repeated = encodeHello(name(), hello)!;
  const kinds: readonly (() => Uint8Array)[] = [
    () => encodeHello(name(), hello)!,
    () => repeated,
    () => encodeHandshake(name(), name(), randomBytes(400)),
    () => encodeData(name(), randomBytes(200)),
    () => randomBytes(600),
    () => Uint8Array.of(0x5a, 1, 2, 3, 4, 5, 6, 7),
  ];
  const most = 2_000_000 * scale;
  let datagrams = 0;
  while (datagrams < most && !signal.aborted) {
    for (let i = 0; i < PER_TURN; i++, datagrams++) {
      const packet = kinds[datagrams % kinds.length]!();
      socket.send(packet, udpPort, '127.0.0.1', () => undefined);
    }
    await new Promise(setImmediate);
  }
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return { done: { datagrams } };
};
