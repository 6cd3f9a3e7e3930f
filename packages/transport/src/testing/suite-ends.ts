import type { ByteConnection } from '../byte-connection.ts';
import { concat } from '../concat.ts';
import type { Listener } from '../transport.ts';
import { check } from './suite-checks.ts';
import type { TransportUnderTest } from './transport-suite.ts';

/** One end of a connection under test. */
export interface End {
  readonly connection: ByteConnection;
  start(): void;
  send(chunks: readonly Uint8Array[]): Promise<void>;
  /** Everything received so far, once it is this many bytes. */
  received(length: number): Promise<Uint8Array>;
  readonly bytes: number;
  readonly closes: number;
  readonly ended: Promise<void>;
  readonly closed: Promise<Error | undefined>;
  readonly drained: Promise<void>;
}

/** Two connected ends. */
export interface Pair {
  readonly near: End;
  readonly far: End;
  readonly listener: Listener;
  readonly subject: TransportUnderTest;
  dispose(): Promise<void>;
}

/** The first connection is the pair; all that follow are echoed. */
export async function connect(subject: TransportUnderTest): Promise<Pair> {
  const first = gate<ByteConnection>();
  let count = 0;
  const listener = await subject.transport.listen(subject.listenAddress, {
    onConnection: (connection) => (count++ === 0 ? first.open(connection) : echo(connection)),
  });
  const near = createEnd(await subject.dialler.dial(listener.addresses[0]!));
  const far = createEnd(await first.promise);
  near.start();
  far.start();
  const dispose = async (): Promise<void> => {
    near.connection.destroy();
    far.connection.destroy();
    await listener[Symbol.asyncDispose]();
  };
  return { near, far, listener, subject, dispose };
}

function echo(connection: ByteConnection): void {
  connection.start({
    onData: (chunk) => connection.write([new Uint8Array(chunk)]),
    onDrain: () => {},
    onEnd: () => connection.end(),
    onClose: () => {},
  });
}

export function createEnd(connection: ByteConnection): End {
  const chunks: Uint8Array[] = [];
  const ended = gate<void>();
  const closed = gate<Error | undefined>();
  let bytesReceived = 0;
  let closes = 0;
  let progress = gate<void>();
  let drain = gate<void>();
  drain.open();
  const handler = {
    onData: (chunk: Uint8Array): void => {
      chunks.push(new Uint8Array(chunk));
      bytesReceived += chunk.length;
      progress.open();
      progress = gate();
    },
    onDrain: () => drain.open(),
    onEnd: () => ended.open(),
    onClose: (error?: Error): void => {
      closes++;
      ended.open();
      closed.open(error);
      progress.open();
      drain.open();
    },
  };
  const write = (list: readonly Uint8Array[]): void => {
    drain = gate();
    if (connection.write(list)) drain.open();
  };
  return {
    connection,
    start: () => connection.start(handler),
    send: async (list) => {
      write(list);
      await drain.promise;
    },
    received: async (length) => {
      while (bytesReceived < length && closes === 0) await progress.promise;
      check(bytesReceived === length, `${length} bytes arrived (${bytesReceived} did)`);
      return concat(chunks, bytesReceived);
    },
    get bytes(): number {
      return bytesReceived;
    },
    get closes(): number {
      return closes;
    },
    get drained(): Promise<void> {
      return drain.promise;
    },
    ended: ended.promise,
    closed: closed.promise,
  };
}

/** A promise that is resolved from outside. */
export function gate<T>(): { promise: Promise<T>; open: (value: T) => void } {
  let open: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}
