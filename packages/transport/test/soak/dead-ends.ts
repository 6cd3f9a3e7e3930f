import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { identityFromSeed } from '@nzcore/identity';
import { asPeer, type DeadEnds, type SoakPeers } from './cycles.ts';

async function listen(onSocket: (socket: Socket) => void): Promise<{ server: Server; address: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, address: `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}` };
}

/** Servers to be dialled in vain. */
export async function openDeadEnds(peers: SoakPeers): Promise<DeadEnds & AsyncDisposable> {
  const garbage = await listen((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const silent = await listen((socket) => socket.resume());
  const closed = await listen(() => undefined);
  await new Promise((resolve) => closed.server.close(resolve));
  const nobody = identityFromSeed(new Uint8Array(32).fill(99)).peerId;
  const [listener] = peers.target.split('/p2p/');
  return {
    refused: asPeer(closed.address, nobody),
    impostor: asPeer(listener!, nobody),
    garbage: asPeer(garbage.address, nobody),
    silent: asPeer(silent.address, nobody),
    async [Symbol.asyncDispose]() {
      for (const { server } of [garbage, silent]) await new Promise((resolve) => server.close(resolve));
    },
  };
}
