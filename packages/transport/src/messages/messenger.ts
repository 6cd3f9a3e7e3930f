import type { PeerId } from '@nzcore/identity';
import type { Connection, OpenStreamOptions } from '../connection/connection.ts';
import { TransportError } from '../errors.ts';
import { ResetCode } from '../mux/frames.ts';
import type { SignalOptions, Stream } from '../mux/stream.ts';
import { serveRequests } from './request-server.ts';
import { createRequester, type Requester } from './requester.ts';

/** Protocol of the streams that carry a messenger's messages (spec/core.md §5). */
export const MESSAGE_PROTOCOL = '/nz/message/1';

/** A message that another peer sent. */
export interface ReceivedMessage {
  /** Who sent it: proved by the connection's handshake. */
  readonly from: PeerId;
  /** Belongs to the receiver. */
  readonly bytes: Uint8Array;
}

/** Takes a message; the sender's acknowledgement waits for it, and fails when it does. */
export type MessageHandler = (message: ReceivedMessage) => void | Promise<void>;

/** What a messenger is made of. */
export interface MessengerOptions {
  /** Opens a stream to a peer, as a {@link ConnectionManager} does. */
  readonly openStream: (peer: PeerId, protocol: string, options?: OpenStreamOptions) => Promise<Stream>;
  /** Bytes of one message. */
  readonly maxBytes: number;
  /** All of them take each message; without any, senders are refused. */
  readonly handlers: ReadonlySet<MessageHandler>;
  /** Told of each message when all handlers have taken it. */
  readonly onMessage?: (message: ReceivedMessage) => void;
}

/** Acknowledged messages between peers. */
export interface Messenger {
  /**
   * Resolves when the other peer's handlers have taken the message. Messages to one peer are handed over in the order of these calls.
   *
   * @throws RangeError when it is longer than `maxBytes`; TransportError when it is not known to have been taken, `REQUEST_FAILED`
   *   when it was refused, and those of `openStream`
   */
  send(peer: PeerId, bytes: Uint8Array, options?: SignalOptions): Promise<void>;
  /** Answers the messages of a stream of {@link MESSAGE_PROTOCOL} that the other side opened. */
  serve(stream: Stream): void;
  /** Ends the stream to a peer whose connection is to be closed, by either side: it has no end of its own. */
  release(connection: Connection): void;
  /** Ends the streams to all peers. */
  close(): void;
}

interface Sender {
  readonly connection: Connection;
  readonly requester: Requester;
}

/** Sends over one long-lived stream for each peer, and answers those of others. */
export function createMessenger(options: MessengerOptions): Messenger {
  const { openStream, maxBytes, handlers, onMessage } = options;
  const senders = new Map<PeerId, Promise<Sender>>();

  function senderTo(peer: PeerId): Promise<Sender> {
    const existing = senders.get(peer);
    if (existing !== undefined) return existing;
    const opened = openStream(peer, MESSAGE_PROTOCOL).then((stream): Sender => {
      const requester = createRequester(stream, { maxBodyLength: maxBytes });
      return { connection: stream.connection, requester };
    });
    senders.set(peer, opened);
    const forget = (): void => forgetSender(peer, opened);
    opened.then(({ connection }) => connection.closed).then(forget, forget);
    return opened;
  }

  function forgetSender(peer: PeerId, sender: Promise<Sender>): void {
    if (senders.get(peer) === sender) senders.delete(peer);
  }

  async function take(message: ReceivedMessage): Promise<Uint8Array> {
    if (handlers.size === 0) {
      throw new TransportError('REQUEST_FAILED', 'nobody takes messages', { resetCode: ResetCode.refused });
    }
    await Promise.all([...handlers].map((handler) => handler(message)));
    onMessage?.(message);
    return new Uint8Array(0);
  }

  const end = (sender: Promise<Sender>, connection?: Connection): void => {
    sender.then(
      (opened) => {
        if (connection === undefined || connection === opened.connection) opened.requester.close();
      },
      () => undefined, // There is no stream; who waited for it was told.
    );
  };

  return {
    send: async (peer, bytes, { signal } = {}) => {
      if (bytes.length > maxBytes) throw new RangeError(`a message has at most ${maxBytes} bytes`);
      signal?.throwIfAborted();
      const sender = senderTo(peer);
      try {
        const { requester } = await sender;
        await requester.request(bytes, signal === undefined ? {} : { signal });
      } catch (error) {
        signal?.throwIfAborted();
        const code = error instanceof TransportError ? error.code : undefined;
        // After any other failure the stream may be of no more use; the next message gets a new one.
        if (code !== 'REQUEST_FAILED' && code !== 'REQUEST_TIMEOUT') forgetSender(peer, sender);
        throw error;
      }
    },
    serve: (stream) => {
      const from = stream.connection.remotePeer;
      serveRequests(stream, (bytes) => take({ from, bytes }), { maxBodyLength: maxBytes });
    },
    release: (connection) => {
      const sender = senders.get(connection.remotePeer);
      if (sender !== undefined) end(sender, connection);
    },
    close: () => {
      for (const sender of senders.values()) end(sender);
    },
  };
}
