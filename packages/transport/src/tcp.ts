import { createServer, type LookupFunction, type Server, type Socket } from 'node:net';
import { type ParsedAddress, parseAddress, tryParseAddress } from './address/address.ts';
import { formatSocketAddress } from './address/socket-address.ts';
import type { ByteConnection } from './byte-connection.ts';
import { TransportError } from './errors.ts';
import { callOwner, handToOwner } from './owner-hook.ts';
import { allowedLookup } from './tcp/allowed-lookup.ts';
import { ReadTurns } from './tcp/read-turns.ts';
import { createTcpConnection, type TcpAddresses } from './tcp/tcp-connection.ts';
import { createTcpReceiver, type SocketSource, type TcpReceiver } from './tcp/tcp-receiver.ts';
import type { DialOptions, Listener, ListenOptions, Transport } from './transport.ts';

export { reachableAddresses } from './tcp/reachable-addresses.ts';

/** Options of {@link createTcpTransport}. */
export interface TcpTransportOptions {
  /** Pending connections that the kernel keeps. @defaultValue 511 */
  readonly backlog?: number;
  /**
   * Reads all sockets into one shared buffer instead of a fresh one for each read.
   * @defaultValue true where this Node can do so
   */
  readonly useSharedBuffer?: boolean;
  /**
   * Keeps the event loop awake for up to 0.1 ms behind each read while one peer alone sends and every message follows the one before within
   * microseconds: a quick exchange on one machine is four times as fast so (docs/adr/0008). Peers further away never cause it.
   * @defaultValue true
   */
  readonly busyPoll?: boolean;
  /** Resolves names. @defaultValue `lookup` of node:dns, as the system does it */
  readonly lookup?: LookupFunction;
}

/**
 * Byte streams over TCP for Node.
 *
 * All sockets of a transport read into one buffer of 256 KiB, which is consumed before the read returns. Writes leave
 * in one system call and without Nagle's delay.
 */
export function createTcpTransport(options: TcpTransportOptions = {}): Transport {
  const receiver = createTcpReceiver(options.useSharedBuffer ?? true, new ReadTurns(options.busyPoll));
  const understands = (text: string): boolean => tryParseAddress(text)?.kind === 'tcp';
  return {
    name: 'tcp',
    canDial: understands,
    canListen: (text) => understands(text) && tryParseAddress(text)?.ip !== undefined,
    dial: (address, dialOptions) => dial(receiver, address, { ...dialOptions, lookup: options.lookup }),
    listen: (address, listenOptions) => listen(receiver, address, listenOptions, options.backlog ?? 511),
  };
}

async function dial(
  receiver: TcpReceiver,
  address: string,
  options: DialOptions & { readonly lookup: LookupFunction | undefined },
): Promise<ByteConnection> {
  options.signal?.throwIfAborted();
  const target = parseTcp(address);
  const { signal } = options;
  const lookup = target.ip ? undefined : allowedLookup(options.isAllowedIp, options.lookup);
  const source = receiver.connect({
    host: target.host,
    port: target.port,
    ...(lookup ? { lookup } : {}),
    ...(target.family === 'dns4' ? { family: 4 } : target.family === 'dns6' ? { family: 6 } : {}),
  });
  const { socket } = source;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      settle();
      socket.destroy();
      reject(signal?.reason);
    };
    const onError = (cause: Error): void => {
      settle();
      socket.destroy();
      reject(new TransportError('DIAL_FAILED', `${target.text}: ${cause.message}`, { cause }));
    };
    const onConnect = (): void => {
      settle();
      resolve(connectionOf(source));
    };
    const settle = (): void => {
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', onError).off('connect', onConnect);
      // Until the connection has its own listener an error must not be without one.
      socket.on('error', ignore);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('error', onError).on('connect', onConnect);
  });
}

async function listen(
  receiver: TcpReceiver,
  address: string,
  options: ListenOptions,
  backlog: number,
): Promise<Listener> {
  options.signal?.throwIfAborted();
  const target = parseTcp(address);
  if (target.ip === undefined)
    throw new TransportError(
      'LISTEN_FAILED',
      `cannot listen on ${target.text}: only an IP address can be bound`,
    );
  const server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true });
  server.on('connection', (accepted) => {
    const source = receiver.adopt(accepted);
    const { socket } = source;
    socket.on('error', ignore);
    // A peer may be gone before it is looked at; then it has no address.
    if (socket.remoteAddress === undefined) socket.destroy();
    else handToOwner(connectionOf(source), options);
  });
  await bind(server, target, backlog);
  server.on('error', (error) => callOwner(options.onError, error));
  const stop = closeOnce(server);
  if (options.signal?.aborted) {
    await stop();
    throw options.signal.reason;
  }
  const bound = server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : target.port;
  return {
    addresses: [formatSocketAddress('tcp', target.host, port)],
    [Symbol.asyncDispose]: stop,
  };
}

function bind(server: Server, target: ParsedAddress, backlog: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error): void => {
      reject(
        new TransportError('LISTEN_FAILED', `cannot listen on ${target.text}: ${cause.message}`, { cause }),
      );
    };
    server.once('error', onError);
    server.listen(
      {
        host: target.host,
        port: target.port,
        backlog,
        ipv6Only: target.family === 'ip6' && target.host !== '::',
      },
      () => {
        server.off('error', onError);
        resolve();
      },
    );
  });
}

/** Accepted connections live on, so this does not wait for the server's own 'close'. */
function closeOnce(server: Server): () => Promise<void> {
  return async () => {
    if (server.listening) server.close();
  };
}

function parseTcp(address: string): ParsedAddress {
  const parsed = parseAddress(address);
  if (parsed.kind !== 'tcp') throw new TransportError('INVALID_ADDRESS', 'Not an address of TCP.');
  return parsed;
}

/** The connection over a socket that has {@link ignore} as its listener so far. */
function connectionOf(source: SocketSource): ByteConnection {
  const { socket } = source;
  const connection = createTcpConnection(source, addressesOf(socket));
  socket.off('error', ignore);
  return connection;
}

function addressesOf(socket: Socket): TcpAddresses {
  return {
    localAddress: formatSocketAddress('tcp', socket.localAddress ?? '0.0.0.0', socket.localPort ?? 0),
    remoteAddress: formatSocketAddress('tcp', socket.remoteAddress ?? '0.0.0.0', socket.remotePort ?? 0),
  };
}

function ignore(): void {}
