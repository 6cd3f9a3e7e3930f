import type { Connection } from '../connection/connection.ts';
import type { Stream } from '../mux/stream.ts';
import type { OnTransportEvent } from './transport-event.ts';

/** Serves one protocol: gets every stream that a peer opens for it. A failure resets the stream. */
export type ProtocolHandler = (stream: Stream) => void | Promise<void>;

/** Gives inbound streams to the handlers of their protocols. */
export interface StreamRouter {
  /** @throws TypeError when the protocol has a handler */
  handle(protocol: string, handler: ProtocolHandler): Disposable;
  /** Gives a stream to its handler; one of a connection that was not admitted yet waits. */
  readonly onStream: (stream: Stream) => void;
  /** The connection stays: its streams may be served from now on. */
  admit(connection: Connection): void;
  readonly protocols: readonly string[];
}

/** NZ-WIRE-01 §7: the protocol is not served here, and: the application failed. */
const UNSUPPORTED_PROTOCOL = 2;
const INTERNAL = 3;

export function createStreamRouter(emit: OnTransportEvent): StreamRouter {
  const handlers = new Map<string, ProtocolHandler>();
  const admitted = new WeakSet<Connection>();
  /** Came with the end of the handshake. A peer that is banned or finds no place must not have reached a handler by then. */
  const early = new WeakMap<Connection, Stream[]>();

  function onStream(stream: Stream): void {
    const { connection } = stream;
    const waiting = early.get(connection);
    if (admitted.has(connection)) serve(stream);
    else if (waiting) waiting.push(stream);
    else early.set(connection, [stream]);
  }

  function admit(connection: Connection): void {
    admitted.add(connection);
    for (const stream of early.get(connection) ?? []) serve(stream);
    early.delete(connection);
  }

  function serve(stream: Stream): void {
    const handler = handlers.get(stream.protocol);
    if (!handler) {
      stream.reset(UNSUPPORTED_PROTOCOL);
      return;
    }
    const fail = (error: unknown): void => {
      stream.reset(INTERNAL);
      emit({
        type: 'handler-failed',
        peer: stream.connection.remotePeer,
        protocol: stream.protocol,
        error,
      });
    };
    // Called at once, in the call stack of the read: a sink set in it gets the first bytes without a copy.
    try {
      handler(stream)?.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  return {
    handle: (protocol, handler) => {
      if (handlers.has(protocol)) throw new TypeError(`the protocol has a handler: ${protocol}`);
      handlers.set(protocol, handler);
      return {
        [Symbol.dispose]: () => {
          if (handlers.get(protocol) === handler) handlers.delete(protocol);
        },
      };
    },
    onStream,
    admit,
    get protocols(): readonly string[] {
      return [...handlers.keys()];
    },
  };
}
