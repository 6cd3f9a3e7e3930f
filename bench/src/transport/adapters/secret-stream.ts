import { type AddressInfo, connect, createServer } from 'node:net';
import SecretStream from '@hyperswarm/secret-stream';
import type { Adapter } from '../adapter.ts';
import { acceptDuplex, connectionOverDuplex } from '../duplex-stream.ts';

const keyPair = SecretStream.keyPair();

/** secret-stream over node:net: Noise XX and libsodium's secretstream, no multiplexing. */
export const adapter: Adapter = {
  serve: (onStream) =>
    new Promise((resolve) => {
      const server = createServer({ noDelay: true }, (socket) => {
        socket.on('error', () => undefined);
        acceptDuplex(new SecretStream(false, socket, { keyPair }), onStream);
      });
      server.listen(0, '127.0.0.1', () => resolve(String((server.address() as AddressInfo).port)));
    }),
  connect: async (address) => ({
    dial: () =>
      new Promise((resolve, reject) => {
        const socket = connect({ port: Number(address), host: '127.0.0.1', noDelay: true });
        const stream = new SecretStream(true, socket, { keyPair });
        stream.once('error', reject);
        stream.once('connect', () => resolve(connectionOverDuplex(stream)));
      }),
  }),
};
