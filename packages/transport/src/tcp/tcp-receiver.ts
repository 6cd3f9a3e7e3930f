import { Socket, type SocketConnectOpts, type SocketConstructorOpts } from 'node:net';

/** As much as a busy socket has waiting on a fast network: fewer, larger reads. */
const READ_BUFFER = 256 * 1024;

/** Gets what a socket reads; the chunk is overwritten when it returns. */
type Delivery = (chunk: Uint8Array) => void;

/** A socket and the way to what it reads. */
export interface SocketSource {
  readonly socket: Socket;
  deliverTo(delivery: Delivery | undefined): void;
  pause(): void;
  resume(): void;
}

/** Where one socket's reads go. */
interface Reads {
  call: Delivery | undefined;
  /** A resume that Node has put off starts the reading again behind a pause: then the next read stops it. */
  isPaused: boolean;
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
      const reads: Reads = { call: undefined, isPaused: true };
      const onread = buffer === undefined ? {} : onReadInto(buffer, reads);
      const socket = new Socket({ allowHalfOpen: true, noDelay: true, ...onread } as SocketConstructorOpts);
      socket.pause();
      socket.setNoDelay(true);
      socket.connect(options);
      return buffer === undefined ? sourceOfEvents(socket) : sourceOf(socket, reads);
    },
    adopt(accepted) {
      const { _handle: handle } = accepted as SocketWithHandle;
      const isMovable = typeof handle?.useUserBuffer === 'function' && typeof handle.readStart === 'function';
      if (buffer === undefined || !isMovable) return sourceOfEvents(accepted);
      const reads: Reads = { call: undefined, isPaused: true };
      const socket = new Socket({
        handle,
        allowHalfOpen: true,
        manualStart: true,
        ...onReadInto(buffer, reads),
      } as SocketConstructorOpts);
      // The first socket lets go of the handle and tells its server that it is gone.
      (accepted as SocketWithHandle)._handle = null;
      accepted.destroy();
      return sourceOf(socket, reads);
    },
  };
}

function onReadInto(buffer: Uint8Array, reads: Reads): OnReadOptions {
  return {
    onread: {
      buffer,
      callback(size, read) {
        reads.call?.(read.subarray(0, size));
        return !reads.isPaused;
      },
    },
  };
}

function sourceOf(socket: Socket, reads: Reads): SocketSource {
  return {
    socket,
    deliverTo: (call) => {
      reads.call = call;
    },
    pause: () => {
      reads.isPaused = true;
      socket.pause();
    },
    resume: () => {
      reads.isPaused = false;
      socket.resume();
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
      socket.on('data', (chunk: Buffer) => call?.(chunk));
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
