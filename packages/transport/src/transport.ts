import type { ByteConnection } from './byte-connection.ts';

/** How a dial is given up, and where it may lead. */
export interface DialOptions {
  readonly signal?: AbortSignal;
  /**
   * Is asked for every IP address (4 or 16 bytes) that a name resolves to; only those that it accepts are connected to, and with
   * none the dial fails. A transport that cannot see what a name resolves to, as in a browser, may ignore it.
   * @defaultValue all are accepted
   */
  readonly isAllowedIp?: (ip: Uint8Array) => boolean;
}

/** Who gets what a listener accepts. */
export interface ListenOptions {
  readonly signal?: AbortSignal;
  /** A connection was accepted; its owner calls `start` or `destroy`. What it throws destroys it. */
  readonly onConnection: (connection: ByteConnection) => void;
  /** The listener failed after it had been listening. */
  readonly onError?: (error: Error) => void;
}

/** A bound listener. Disposing of it stops accepting; accepted connections live on. */
export interface Listener extends AsyncDisposable {
  /** Multiaddr texts that are bound, with real ports, without `/p2p`. */
  readonly addresses: readonly string[];
}

/** Makes byte streams of one kind (TCP, WebSocket, memory). */
export interface Transport {
  /** Short name for events and status, such as `tcp`. */
  readonly name: string;
  /** Says whether `dial` understands this multiaddr text (with or without `/p2p`). */
  canDial(address: string): boolean;
  /** Says whether `listen` understands this multiaddr text. */
  canListen(address: string): boolean;
  /** @throws TransportError `DIAL_FAILED`; the signal's reason when aborted. */
  dial(address: string, options?: DialOptions): Promise<ByteConnection>;
  /** Resolves when bound. @throws TransportError `LISTEN_FAILED`. */
  listen(address: string, options: ListenOptions): Promise<Listener>;
}
