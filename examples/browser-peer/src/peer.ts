import { randomBytes, ready } from '@nzcore/crypto';
import { identityFromSeed, type PeerId } from '@nzcore/identity';
import {
  type ConnectionManager,
  createConnectionManager,
  createRequester,
  createUpgrader,
  type OnTransportEvent,
  type Requester,
  serveRequests,
} from '@nzcore/transport';
import { createBrowserWebSocketTransport } from '@nzcore/transport/ws-browser';

/** Protocol of messages between nodes, spec/core.md §5: a request whose empty answer is the acknowledgement. */
const MESSAGE_PROTOCOL = '/nz/message/1';

export interface BrowserPeerOptions {
  readonly onMessage: (from: PeerId, text: string) => void;
  readonly onEvent: OnTransportEvent;
}

/** A peer within a page: it can dial, not listen, and everything else is as on a server. */
export interface BrowserPeer {
  readonly peerId: PeerId;
  readonly manager: ConnectionManager;
  /** Sends a text; resolves when the other side has taken it. */
  send(to: PeerId, text: string): Promise<void>;
}

/** Starts a peer with an identity that lives as long as the page. */
export async function startBrowserPeer({ onMessage, onEvent }: BrowserPeerOptions): Promise<BrowserPeer> {
  await ready();
  const identity = identityFromSeed(randomBytes(32));
  const manager = createConnectionManager({
    localPeer: identity.peerId,
    upgrader: createUpgrader({ identity }),
    transports: [createBrowserWebSocketTransport()],
    onEvent,
    protocols: {
      [MESSAGE_PROTOCOL]: (stream) => {
        serveRequests(stream, (body) => {
          onMessage(stream.connection.remotePeer, new TextDecoder().decode(body));
          return new Uint8Array(0);
        });
      },
    },
  });
  const requesters = new Map<PeerId, Promise<Requester>>();

  async function send(to: PeerId, text: string): Promise<void> {
    const known = requesters.get(to) ?? manager.openStream(to, MESSAGE_PROTOCOL).then(createRequester);
    requesters.set(to, known);
    try {
      const requester = await known;
      await requester.request(new TextEncoder().encode(text));
    } catch (error) {
      requesters.delete(to);
      throw error;
    }
  }

  return { peerId: identity.peerId, manager, send };
}
