import type { PeerId } from '@nzcore/identity';
import {
  type Connection,
  createRequester,
  type Requester,
  ResetCode,
  type Stream,
  serveRequests,
  TransportError,
} from '@nzcore/transport';
import { NodeError } from './errors.ts';
import type { ReceivedMessage } from './node-events.ts';

/** Takes a message; the sender's acknowledgement waits for it, and fails when it does. */
export type MessageHandler = (message: ReceivedMessage) => void | Promise<void>;

/** What messaging is made of. */
export interface MessagingOptions {
  readonly openStream: (
    peer: PeerId,
    protocol: string,
    options: { readonly signal?: AbortSignal },
  ) => Promise<Stream>;
  /** Bytes of one message. */
  readonly maxBytes: number;
  readonly handlers: ReadonlySet<MessageHandler>;
  /** Told of each message that was taken. */
  readonly onMessage: (message: ReceivedMessage) => void;
}

/** Messages between nodes, spec/core.md §5. */
export interface Messaging {
  send(
    peer: PeerId,
    bytes: Uint8Array,
    options: { readonly signal?: AbortSignal | undefined },
  ): Promise<void>;
  serve(stream: Stream): void;
  /** Ends the stream to a peer whose connection is to be closed, by either side: it has no end of its own. */
  release(connection: Connection): void;
}

/** Protocol of the streams that carry messages. */
export const MESSAGE_PROTOCOL = '/nz/message/1';

interface Sender {
  readonly connection: Connection;
  readonly requester: Requester;
}

/** Sends over one long-lived stream for each peer, and answers those of others. */
export function createMessaging({ openStream, maxBytes, handlers, onMessage }: MessagingOptions): Messaging {
  const senders = new Map<PeerId, Promise<Sender>>();

  function senderTo(peer: PeerId): Promise<Sender> {
    const existing = senders.get(peer);
    if (existing !== undefined) return existing;
    const opened = openStream(peer, MESSAGE_PROTOCOL, {}).then((stream): Sender => {
      return {
        connection: stream.connection,
        requester: createRequester(stream, { maxBodyLength: maxBytes }),
      };
    });
    senders.set(peer, opened);
    const forget = (): void => {
      if (senders.get(peer) === opened) senders.delete(peer);
    };
    opened.then(({ connection }) => connection.closed).then(forget, forget);
    return opened;
  }

  async function take(from: PeerId, bytes: Uint8Array): Promise<Uint8Array> {
    if (handlers.size === 0) {
      throw new TransportError('REQUEST_FAILED', 'nobody takes messages', { resetCode: ResetCode.refused });
    }
    const message = { from, bytes };
    await Promise.all([...handlers].map((handler) => handler(message)));
    onMessage(message);
    return new Uint8Array(0);
  }

  return {
    async send(peer, bytes, { signal }) {
      if (bytes.length > maxBytes) throw new RangeError(`a message has at most ${maxBytes} bytes`);
      signal?.throwIfAborted();
      const sender = senderTo(peer);
      try {
        const { requester } = await sender;
        await requester.request(bytes, signal === undefined ? {} : { signal });
      } catch (cause) {
        signal?.throwIfAborted();
        const code = cause instanceof TransportError ? cause.code : 'UNKNOWN';
        // After any other failure the stream may be of no more use; the next message gets a new one.
        const isAnswered = code === 'REQUEST_FAILED' || code === 'REQUEST_TIMEOUT';
        if (!isAnswered && senders.get(peer) === sender) senders.delete(peer);
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new NodeError('SEND_FAILED', `the message to ${peer} was not acknowledged: ${reason}`, {
          cause,
        });
      }
    },
    serve: (stream) => {
      const from = stream.connection.remotePeer;
      serveRequests(stream, (body) => take(from, body), { maxBodyLength: maxBytes });
    },
    release: (connection) => {
      const close = (sender: Sender): void => {
        if (sender.connection === connection) sender.requester.close();
      };
      senders.get(connection.remotePeer)?.then(close, () => undefined);
    },
  };
}
