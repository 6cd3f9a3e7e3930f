import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export type UdpDirection = 'to-server' | 'to-client';

/** A UDP proxy on loopback that loses, repeats, delays and reorders datagrams as it is told. */
export interface UdpFaultProxy extends AsyncDisposable {
  /** Multiaddr text. */
  readonly address: string;
  /** Milliseconds after which each copy goes on; an empty list loses the datagram. */
  fate: (direction: UdpDirection) => readonly number[];
  /** Datagrams that came, that were lost, repeated, and overtaken by a later one of their direction. */
  readonly counts: { passed: number; lost: number; repeated: number; overtaken: number };
}

async function bind(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** Stands between one client and the server at `target`, multiaddr text. */
export async function openUdpFaultProxy(target: string): Promise<UdpFaultProxy> {
  const serverPort = Number(target.split('/')[4]);
  const [front, back] = [await bind(), await bind()];
  const timers = new Set<NodeJS.Timeout>();
  let clientPort = 0;
  const proxy: UdpFaultProxy = {
    address: `/ip4/127.0.0.1/udp/${(front.address() as AddressInfo).port}`,
    fate: () => [0],
    counts: { passed: 0, lost: 0, repeated: 0, overtaken: 0 },
    [Symbol.asyncDispose]: async () => {
      for (const timer of timers) clearTimeout(timer);
      await Promise.all([front, back].map((socket) => new Promise<void>((resolve) => socket.close(resolve))));
    },
  };
  const carry = (from: Socket, direction: UdpDirection, send: (bytes: Buffer) => void): void => {
    let [arrived, newest] = [0, 0];
    from.on('message', (bytes: Buffer, { port }) => {
      if (direction === 'to-server') clientPort = port;
      const number = ++arrived;
      const fate = proxy.fate(direction);
      const { counts } = proxy;
      counts.passed += 1;
      if (fate.length === 0) counts.lost += 1;
      counts.repeated += Math.max(0, fate.length - 1);
      for (const delay of fate) {
        const timer = setTimeout(() => {
          timers.delete(timer);
          if (number < newest) counts.overtaken += 1;
          newest = Math.max(newest, number);
          send(bytes);
        }, delay);
        timers.add(timer);
      }
    });
  };
  carry(front, 'to-server', (bytes) => back.send(bytes, serverPort, '127.0.0.1'));
  carry(back, 'to-client', (bytes) => front.send(bytes, clientPort, '127.0.0.1'));
  return proxy;
}
