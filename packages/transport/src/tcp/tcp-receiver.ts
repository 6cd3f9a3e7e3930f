import { Socket, type SocketConnectOpts, type SocketConstructorOpts } from 'node:net';
import type { ByteConnectionHandler } from '../byte-connection.ts';

/** As much as a busy socket has waiting on a fast network: fewer, larger reads. */
const READ_BUFFER = 256 * 1024;

/**
 * Milliseconds of work after which a socket waits for its next turn: libuv reads a socket up to 32 times in a row, and a peer whose bytes
 * cost much would hold all others up for as long. A read of bulk data takes a tenth of it.
 */
const LONG_READ = 2;

/** Gets what a socket reads; the chunk is overwritten when `onData` returns. */
type Delivery = Pick<ByteConnectionHandler, 'onData'>;

/** A socket and the way to what it reads. */
export interface SocketSource {
  readonly socket: Socket;
  deliverTo(delivery: Delivery | undefined): void;
  pause(): void;
  resume(): void;
}

/** A socket that reads into the shared buffer. A class and not closures, because a connection has one for as long as it lives. */
class SharedSource implements SocketSource {
  readonly socket: Socket;
  #delivery: Delivery | undefined;
  /** A resume that Node has put off starts the reading again behind a pause: then the next read stops it. */
  #isPaused = true;

  constructor(create: (onread: OnReadOptions) => Socket, buffer: Uint8Array) {
    const callback = (size: number, read: Uint8Array): boolean => {
      const started = performance.now();
      this.#delivery?.onData(read.subarray(0, size));
      if (this.#isPaused) return false;
      if (performance.now() - started < LONG_READ) return true;
      // It goes on behind the others that have something to read.
      setImmediate(goOn, this);
      return false;
    };
    this.socket = create({ onread: { buffer, callback } });
  }

  deliverTo(delivery: Delivery | undefined): void {
    this.#delivery = delivery;
  }

  pause(): void {
    this.#isPaused = true;
    this.socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.socket.resume();
  }

  /** Reads on after a long read, unless it was paused meanwhile. */
  goOn(): void {
    if (!this.#isPaused && !this.socket.destroyed) this.socket.resume();
  }
}

function goOn(source: SharedSource): void {
  source.goOn();
}

/** Makes sockets, connected or accepted, read into one buffer. */
export interface TcpReceiver {
  /** Starts a connection with a new socket, not yet reading. */
  connect(options: SocketConnectOpts): SocketSource;
  /** Takes over a socket that a server accepted with `pauseOnConnect`. */
  adopt(accepted: Socket): SocketSource;
}

/** `onread` exists in node:net for accepted sockets as well, only their types do not say so. */
interface OnReadOptions {
  readonly onread: {
    readonly buffer: Uint8Array;
    readonly callback: (size: number, buffer: Uint8Array) => boolean;
  };
}

/** The part of a socket that Node does not document: its handle, which a socket with `onread` can be put on. */
interface SocketWithHandle {
  _handle?: { useUserBuffer?: unknown; readStart?: unknown } | null;
}

/**
 * @param isShared - false, or a Node whose sockets have no handle that can be moved, lets sockets emit 'data'
 */
export function createTcpReceiver(isShared: boolean): TcpReceiver {
  const buffer = isShared ? new Uint8Array(READ_BUFFER) : undefined;
  return {
    connect(options) {
      const create = (onread: Partial<OnReadOptions>): Socket =>
        new Socket({ allowHalfOpen: true, noDelay: true, ...onread } as SocketConstructorOpts);
      const source = buffer === undefined ? sourceOfEvents(create({})) : new SharedSource(create, buffer);
      const { socket } = source;
      socket.pause();
      socket.setNoDelay(true);
      socket.connect(options);
      return source;
    },
    adopt(accepted) {
      const { _handle: handle } = accepted as SocketWithHandle;
      const isMovable = typeof handle?.useUserBuffer === 'function' && typeof handle.readStart === 'function';
      if (buffer === undefined || !isMovable) return sourceOfEvents(accepted);
      const create = (onread: OnReadOptions): Socket =>
        new Socket({ handle, allowHalfOpen: true, manualStart: true, ...onread } as SocketConstructorOpts);
      const source = new SharedSource(create, buffer);
      // The first socket lets go of the handle and tells its server that it is gone.
      (accepted as SocketWithHandle)._handle = null;
      accepted.destroy();
      return source;
    },
  };
}

function sourceOfEvents(socket: Socket): SocketSource {
  let call: Delivery | undefined;
  let isListening = false;
  return {
    socket,
    deliverTo: (next) => {
      call = next;
      if (isListening) return;
      isListening = true;
      const wasPaused = socket.isPaused();
      socket.on('data', (chunk: Buffer) => call?.onData(chunk));
      if (wasPaused) socket.pause();
    },
    pause: () => {
      socket.pause();
    },
    resume: () => {
      socket.resume();
    },
  };
}
