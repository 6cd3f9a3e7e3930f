import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, LookupFunction, Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { formatAddress, type ParsedAddress, parseAddress, tryParseAddress } from './address/address.ts';
import type { ByteConnection } from './byte-connection.ts';
import { TransportError } from './errors.ts';
import { callOwner, handToOwner } from './owner-hook.ts';
import { allowedLookup } from './tcp/allowed-lookup.ts';
import { ReadTurns } from './tcp/read-turns.ts';
import type { DialOptions, Listener, ListenOptions, Transport } from './transport.ts';
import { createWebSocketConnection } from './ws/ws-connection.ts';
import { WEB_SOCKET_OPTIONS } from './ws/ws-options.ts';

/** How WebSockets are dialled and accepted. */
export interface WebSocketTransportOptions {
  /** PEM certificate chain and key: needed to listen on `/tls/ws` addresses. */
  readonly tls?: { readonly cert: string | Uint8Array; readonly key: string | Uint8Array };
  /** PEM certificates to trust when dialling, instead of the machine's. */
  readonly ca?: string | Uint8Array;
  /**
   * Accepts any certificate when dialling. The peer is authenticated by its PeerId inside of TLS in any case; TLS
   * here only gets through proxies that want it.
   * @defaultValue false
   */
  readonly allowAnyCertificate?: boolean;
  /**
   * Masks what is sent with fresh keys when dialling, as RFC 6455 §5.3 asks for. By default the key is zero: masking keeps a
   * script from choosing the bytes on the wire, and these are ciphertext; it costs most of the throughput (docs/adr/0005).
   * @defaultValue false
   */
  readonly useMasking?: boolean;
  /** Milliseconds until a dialled or accepted socket must have become a WebSocket. @defaultValue 10,000 */
  readonly handshakeTimeout?: number;
  /** Accepted sockets that may wait for their upgrade request at a time; more are dropped. @defaultValue 1024 */
  readonly maxPendingUpgrades?: number;
  /** Resolves names. @defaultValue `lookup` of node:dns, as the system does it */
  readonly lookup?: LookupFunction;
  /** As in `TcpTransportOptions`. @defaultValue true */
  readonly busyPoll?: boolean;
}

type Settings = Required<Pick<WebSocketTransportOptions, 'handshakeTimeout' | 'maxPendingUpgrades'>> &
  WebSocketTransportOptions & {
    /** Its connections take turns. */
    readonly turns: ReadTurns;
  };

/** Byte streams over WebSocket, as a client and as a server, with or without TLS (RFC 6455). */
export function createWebSocketTransport(options: WebSocketTransportOptions = {}): Transport {
  const settings: Settings = {
    handshakeTimeout: 10_000,
    maxPendingUpgrades: 1024,
    ...options,
    turns: new ReadTurns(options.busyPoll),
  };
  const kindOf = (text: string): string | undefined => tryParseAddress(text)?.kind;
  return {
    name: 'ws',
    canDial: (address) => kindOf(address) === 'ws' || kindOf(address) === 'wss',
    canListen: (address) =>
      kindOf(address) === 'ws' || (kindOf(address) === 'wss' && options.tls !== undefined),
    dial: (address, dialOptions) => dial(settings, address, dialOptions),
    listen: (address, listenOptions) => listen(settings, address, listenOptions),
  };
}

async function dial(
  settings: Settings,
  address: string,
  { signal, isAllowedIp }: DialOptions = {},
): Promise<ByteConnection> {
  signal?.throwIfAborted();
  const target = parseAddress(address);
  if ((target.kind !== 'ws' && target.kind !== 'wss') || target.port === 0) {
    throw new TransportError('DIAL_FAILED', `cannot dial ${target.text}`);
  }
  const lookup = target.ip ? undefined : allowedLookup(isAllowedIp, settings.lookup);
  const webSocket = new WebSocket(urlOf(target), {
    ...WEB_SOCKET_OPTIONS,
    handshakeTimeout: settings.handshakeTimeout,
    followRedirects: false,
    ...(settings.useMasking ? {} : { generateMask: (mask: Buffer) => mask.fill(0) }),
    rejectUnauthorized: settings.allowAnyCertificate !== true,
    ...(settings.ca === undefined ? {} : { ca: Buffer.from(settings.ca) }),
    ...(lookup ? { lookup } : {}),
    ...(target.family === 'dns4' ? { family: 4 } : target.family === 'dns6' ? { family: 6 } : {}),
  });
  return opened(webSocket, { target, signal, turns: settings.turns });
}

interface Opening {
  readonly target: ParsedAddress;
  readonly signal: AbortSignal | undefined;
  readonly turns: ReadTurns;
}

function opened(webSocket: WebSocket, { target, signal, turns }: Opening): Promise<ByteConnection> {
  return new Promise((resolve, reject) => {
    let socket: Socket | undefined;
    const onAbort = (): void => {
      reject(signal?.reason);
      webSocket.terminate();
    };
    const onError = (cause: Error): void => {
      signal?.removeEventListener('abort', onAbort);
      reject(
        new TransportError('DIAL_FAILED', `no WebSocket at ${target.text}: ${cause.message}`, { cause }),
      );
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    webSocket.on('error', onError);
    webSocket.once('upgrade', (response) => {
      socket = response.socket;
    });
    webSocket.once('open', () => {
      signal?.removeEventListener('abort', onAbort);
      if (!socket) return webSocket.terminate();
      const localAddress = socketAddress(target, socket.localAddress, socket.localPort);
      resolve(
        createWebSocketConnection({ webSocket, socket, localAddress, remoteAddress: target.text, turns }),
      );
      webSocket.off('error', onError);
    });
  });
}

function urlOf({ kind, host, family, port, path }: ParsedAddress): string {
  return `${kind}://${family === 'ip6' ? `[${host}]` : host}:${port}${path}`;
}

function socketAddress(
  like: ParsedAddress,
  host: string | undefined,
  port: number | undefined,
  path = '/',
): string {
  return formatAddress({ kind: like.kind, host: host ?? '0.0.0.0', port: port ?? 0, path });
}

async function listen(settings: Settings, address: string, options: ListenOptions): Promise<Listener> {
  options.signal?.throwIfAborted();
  const target = parseAddress(address);
  const isSecure = target.kind === 'wss';
  if (target.family.startsWith('dns') || !(isSecure ? settings.tls : target.kind === 'ws')) {
    throw new TransportError('LISTEN_FAILED', `cannot listen on ${target.text}`);
  }
  const server = createServer(settings, isSecure);
  const pending = watchPending(server, settings.maxPendingUpgrades);
  serveUpgrades(server, target, { pending, turns: settings.turns }, options);
  await bind(server, target, options.signal);
  server.on('error', (error) => callOwner(options.onError, error));
  const bound = server.address() as AddressInfo;
  return {
    addresses: [socketAddress(target, bound.address, bound.port, target.path)],
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of pending.values()) socket.destroy();
    },
  };
}

function createServer(settings: Settings, isSecure: boolean): Server {
  const limits = {
    headersTimeout: settings.handshakeTimeout,
    requestTimeout: settings.handshakeTimeout,
    connectionsCheckingInterval: Math.max(100, settings.handshakeTimeout / 5),
    maxHeaderSize: 8 * 1024,
    noDelay: true,
  };
  const refuse = (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end();
  };
  if (!isSecure || !settings.tls) return createHttpServer(limits, refuse);
  const { cert, key } = settings.tls;
  const pem = (value: string | Uint8Array): string | Buffer =>
    typeof value === 'string' ? value : Buffer.from(value);
  return createHttpsServer(
    { ...limits, cert: pem(cert), key: pem(key), handshakeTimeout: settings.handshakeTimeout },
    refuse,
  );
}

/** Sockets that have not become a WebSocket, by remote address and port, the oldest first. */
type Pending = Map<string, Socket>;

const endpointKey = (socket: Socket): string => `${socket.remoteAddress}|${socket.remotePort}`;

/** Bounds those sockets in number here; in time they are bounded by the server's timeouts. */
function watchPending(server: Server, limit: number): Pending {
  const pending: Pending = new Map();
  server.on('connection', (socket: Socket) => {
    const key = endpointKey(socket);
    pending.set(key, socket);
    socket.once('close', () => {
      if (pending.get(key) === socket) pending.delete(key);
    });
    if (pending.size <= limit) return;
    // The oldest goes: an honest upgrade takes milliseconds, so that the one that waits longest is the likeliest to be idle.
    const [oldestKey, oldest] = pending.entries().next().value!;
    pending.delete(oldestKey);
    oldest.destroy();
  });
  return pending;
}

function serveUpgrades(
  server: Server,
  target: ParsedAddress,
  { pending, turns }: { readonly pending: Pending; readonly turns: ReadTurns },
  options: ListenOptions,
): void {
  const webSockets = new WebSocketServer({ ...WEB_SOCKET_OPTIONS, noServer: true, clientTracking: false });
  server.on('upgrade', (request, duplex, head) => {
    const socket = duplex as Socket;
    pending.delete(endpointKey(socket));
    socket.on('error', () => socket.destroy());
    if (request.url?.split('?', 1)[0] !== target.path) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n', () => socket.destroy());
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const localAddress = socketAddress(target, socket.localAddress, socket.localPort, target.path);
      const remoteAddress = socketAddress(target, socket.remoteAddress, socket.remotePort);
      const end = { webSocket, socket, localAddress, remoteAddress, turns };
      handToOwner(createWebSocketConnection(end), options);
    });
  });
}

function bind(server: Server, target: ParsedAddress, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      server.close();
      reject(signal?.reason);
    };
    const onError = (cause: Error): void => {
      signal?.removeEventListener('abort', onAbort);
      reject(
        new TransportError('LISTEN_FAILED', `cannot listen on ${target.text}: ${cause.message}`, { cause }),
      );
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    server.once('error', onError);
    server.listen(
      { host: target.host, port: target.port, ipv6Only: target.family === 'ip6', backlog: 511 },
      () => {
        server.off('error', onError);
        signal?.removeEventListener('abort', onAbort);
        resolve();
      },
    );
  });
}
