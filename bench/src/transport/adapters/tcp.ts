import { type AddressInfo, connect, createServer } from 'node:net';
import type { Adapter } from '../adapter.ts';
import { acceptDuplex, connectionOverDuplex } from '../duplex-stream.ts';

/** Raw TCP without any protection: the ceiling. */
export const adapter: Adapter = {
  serve: (onStream) =>
    new Promise((resolve) => {
      const server = createServer({ noDelay: true }, (socket) => acceptDuplex(socket, onStream));
      server.listen(0, '127.0.0.1', () => resolve(String((server.address() as AddressInfo).port)));
    }),
  connect: async (address) => ({
    dial: () =>
      new Promise((resolve, reject) => {
        const socket = connect({ port: Number(address), host: '127.0.0.1', noDelay: true });
        socket.once('error', reject);
        socket.once('connect', () => resolve(connectionOverDuplex(socket)));
      }),
  }),
};
