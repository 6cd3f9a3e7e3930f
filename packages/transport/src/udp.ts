import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { parseAddress } from './address/address.ts';
import { formatSocketAddress } from './address/socket-address.ts';
import { TransportError } from './errors.ts';
import { callOwner } from './owner-hook.ts';
import {
  createDatagramEndpoint,
  type DatagramEndpoint,
  type DatagramEndpointOptions,
  type DatagramRequestOptions,
} from './udp/datagram-endpoint.ts';
import { isSessionPacket } from './udp/datagram-packet.ts';

export type {
  DatagramEndpoint,
  DatagramEvent,
  DatagramLimits,
  DatagramRequest,
  DatagramRequestHandler,
  DatagramRequestOptions,
  DropReason,
} from './udp/datagram-endpoint.ts';
export { createDatagramEndpoint, type DatagramEndpointOptions } from './udp/datagram-endpoint.ts';
export { MAX_CONTENT } from './udp/datagram-session.ts';

/** What an endpoint binds and whom it serves. */
export interface UdpEndpointOptions extends Omit<DatagramEndpointOptions, 'send'> {
  /** Multiaddr text to bind. @defaultValue `/ip4/0.0.0.0/udp/0` */
  readonly address?: string;
  /** Gets what is no packet of a session: STUN on the same socket. The bytes are borrowed. */
  readonly onForeignDatagram?: (bytes: Uint8Array, address: string) => void;
  /** The socket failed; it is closed then. */
  readonly onError?: (error: Error) => void;
}

/** Secure requests over a UDP socket. */
export interface UdpEndpoint extends Omit<DatagramEndpoint, 'receive'> {
  /** Multiaddr text that is bound, with the real port. */
  readonly address: string;
  /** Sends bytes as they are, from the same port: STUN, hole punching. Resolves when they were handed over. */
  sendForeign(bytes: Uint8Array, address: string): Promise<void>;
}

/**
 * Binds a UDP socket and speaks datagram sessions on it.
 * @throws TransportError `INVALID_ADDRESS`, `LISTEN_FAILED`
 */
export async function openUdpEndpoint(options: UdpEndpointOptions): Promise<UdpEndpoint> {
  const target = parseAddress(options.address ?? '/ip4/0.0.0.0/udp/0');
  if (target.kind !== 'udp' || !target.ip) {
    throw new TransportError('LISTEN_FAILED', `cannot bind ${target.text}`);
  }
  const type = target.family === 'ip6' ? 'udp6' : 'udp4';
  const socket = createSocket({ type, ipv6Only: type === 'udp6' });
  try {
    socket.bind({ port: target.port, address: target.host, exclusive: true });
    await once(socket, 'listening');
  } catch (cause) {
    socket.close();
    throw new TransportError('LISTEN_FAILED', `cannot bind ${target.text}`, { cause });
  }
  return attach(socket, options);
}

function attach(socket: Socket, options: UdpEndpointOptions): UdpEndpoint {
  const { port, address: host } = socket.address() as AddressInfo;
  const onError = (error: Error): void => callOwner(options.onError, error);
  let isOpen = true;
  const endpoint = createDatagramEndpoint({
    ...options,
    send: (packet, address) => {
      if (!isOpen) return;
      // The packet counts as lost, as any datagram may be: repetition and deadlines are there for that. The owner hears why.
      sendTo(socket, packet, address).catch((error: unknown) => {
        if (isOpen) callOwner(options.onEvent, { type: 'send-failed', address, error });
      });
    },
  });
  socket.on('message', (bytes: Uint8Array, remote: RemoteInfo) => {
    const address = formatSocketAddress('udp', remote.address, remote.port);
    if (isSessionPacket(bytes)) endpoint.receive(bytes, address);
    else callOwner(options.onForeignDatagram, bytes, address);
  });
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    await endpoint[Symbol.asyncDispose]();
    isOpen = false;
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  };
  socket.on('error', (error) => {
    onError(error);
    close().catch((failure: Error) => onError(failure));
  });
  return {
    address: formatSocketAddress('udp', host, port),
    // The address is what answers are compared with: in its canonical form.
    request: async (peer, address, content, more?: DatagramRequestOptions) =>
      endpoint.request(peer, parseAddress(address).text, content, more),
    sendForeign: (bytes, address) => sendTo(socket, bytes, address),
    get sessions(): number {
      return endpoint.sessions;
    },
    [Symbol.asyncDispose]: close,
  };
}

async function sendTo(socket: Socket, bytes: Uint8Array, address: string): Promise<void> {
  const { kind, host, port } = parseAddress(address);
  if (kind !== 'udp' || port === 0) throw new TransportError('DIAL_FAILED', `cannot send to ${address}`);
  await new Promise<void>((resolve, reject) => {
    socket.send(bytes, port, host, (error) => (error ? reject(error) : resolve()));
  });
}
