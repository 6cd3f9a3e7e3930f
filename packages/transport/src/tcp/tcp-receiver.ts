import { Socket, type SocketConnectOpts, type SocketConstructorOpts } from 'node:net';
import type { ByteConnectionHandler } from '../byte-connection.ts';
import { FIRST_READ, READ_SIZES, type ReadTurns, type TurnTaker } from './read-turns.ts';

/** Gets what a socket reads; the chunk is overwritten when `onData` returns. */
type Delivery = Pick<ByteConnectionHandler, 'onData' | 'hasWork' | 'onTurn'>;

/** A socket and the way to what it reads. */
export interface SocketSource {
  readonly socket: Socket;
  deliverTo(delivery: Delivery | undefined): void;
  pause(): void;
  resume(): void;
}

/** What all sockets of a transport share. */
interface Shared {
  /** Beginnings of one buffer, by their lengths. */
  readonly buffers: ReadonlyMap<number, Uint8Array>;
  readonly turns: ReadTurns;
}

/** What is read goes to one taker, when it is not paused and when it is its turn. A class and not closures: a connection has one for as long as it lives. */
abstract class TurnSource implements SocketSource, TurnTaker {
  abstract readonly socket: Socket;
  readSize: number = FIRST_READ;
  readonly #turns: ReadTurns;
  #delivery: Delivery | undefined;
  /** A resume that Node has put off starts the reading again behind a pause: then the next read stops it. */
  #isPaused = true;
  #isWaitingForTurn = false;

  constructor(turns: ReadTurns) {
    this.#turns = turns;
  }

  deliverTo(delivery: Delivery | undefined): void {
    this.#delivery = delivery;
    if (delivery === undefined) this.#turns.forget(this);
  }

  pause(): void {
    this.#isPaused = true;
    this.socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#isWaitingForTurn) this.socket.resume();
  }

  goOn(): void {
    try {
      this.#isWaitingForTurn = !this.#turns.work(this, this.#delivery);
    } catch (error) {
      this.socket.destroy(error as Error);
    }
    if (this.mayRead) this.socket.resume();
  }

  protected get mayRead(): boolean {
    return !this.#isPaused && !this.#isWaitingForTurn && !this.socket.destroyed;
  }

  /** Hands bytes over, and counts what they cost. */
  protected take(bytes: Uint8Array): void {
    const started = performance.now();
    try {
      this.#delivery?.onData(bytes);
      const mayGoOn = this.#turns.end(this, bytes.length, started);
      this.#isWaitingForTurn = !(mayGoOn && this.#turns.work(this, this.#delivery));
    } catch (error) {
      // What a handler throws ends its connection, and not the process.
      this.socket.destroy(error as Error);
    }
  }
}

/** A socket that reads into the shared buffer. */
class SharedSource extends TurnSource {
  readonly socket: Socket;

  constructor(create: (onread: OnReadOptions) => Socket, { buffers, turns }: Shared) {
    super(turns);
    this.socket = create({
      onread: {
        // Asked before the first read and behind each.
        buffer: () => buffers.get(this.readSize)!,
        callback: (size, read) => {
          this.take(read.subarray(0, size));
          return this.mayRead;
        },
      },
    });
  }
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
    readonly buffer: () => Uint8Array;
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
export function createTcpReceiver(isShared: boolean, turns: ReadTurns): TcpReceiver {
  const shared = isShared ? { buffers: createBuffers(), turns } : undefined;
  return {
    connect(options) {
      const create = (onread: Partial<OnReadOptions>): Socket =>
        new Socket({ allowHalfOpen: true, noDelay: true, ...onread } as SocketConstructorOpts);
      const source =
        shared === undefined ? new EventSource(create({}), turns) : new SharedSource(create, shared);
      const { socket } = source;
      socket.pause();
      socket.setNoDelay(true);
      socket.connect(options);
      return source;
    },
    adopt(accepted) {
      const { _handle: handle } = accepted as SocketWithHandle;
      const isMovable = typeof handle?.useUserBuffer === 'function' && typeof handle.readStart === 'function';
      if (shared === undefined || !isMovable) return new EventSource(accepted, turns);
      const create = (onread: OnReadOptions): Socket =>
        new Socket({ handle, allowHalfOpen: true, manualStart: true, ...onread } as SocketConstructorOpts);
      const source = new SharedSource(create, shared);
      // The first socket lets go of the handle and tells its server that it is gone.
      (accepted as SocketWithHandle)._handle = null;
      accepted.destroy();
      return source;
    },
  };
}

function createBuffers(): Map<number, Uint8Array> {
  const buffer = new Uint8Array(READ_SIZES.at(-1)!);
  return new Map(READ_SIZES.map((size) => [size, buffer.subarray(0, size)]));
}

/** A socket that emits 'data', in memory of its own. */
class EventSource extends TurnSource {
  readonly socket: Socket;
  #isListening = false;

  constructor(socket: Socket, turns: ReadTurns) {
    super(turns);
    this.socket = socket;
  }

  override deliverTo(delivery: Delivery | undefined): void {
    super.deliverTo(delivery);
    if (this.#isListening) return;
    this.#isListening = true;
    const wasPaused = this.socket.isPaused();
    this.socket.on('data', (chunk: Buffer) => this.#deliver(chunk));
    if (wasPaused) this.socket.pause();
  }

  #deliver(chunk: Uint8Array): void {
    let rest = chunk;
    while (rest.length > 0 && this.mayRead) {
      const piece = rest.subarray(0, this.readSize);
      rest = rest.subarray(piece.length);
      this.take(piece);
    }
    if (this.socket.destroyed) return;
    if (!this.mayRead) this.socket.pause();
    // Given back, so that the end that Node reads behind a pause waits for it.
    if (rest.length > 0) this.socket.unshift(rest);
  }
}
