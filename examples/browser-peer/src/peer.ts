import { randomBytes, ready } from '@nzcore/crypto';
import { identityFromSeed, type PeerId } from '@nzcore/identity';
import {
  type ConnectionManager,
  createConnectionManager,
  createMessenger,
  createUpgrader,
  MESSAGE_PROTOCOL,
  type OnTransportEvent,
  type ReceivedMessage,
} from '@nzcore/transport';
import { createBrowserWebSocketTransport } from '@nzcore/transport/ws-browser';

/** As a node's default. */
const MAX_MESSAGE_BYTES = 2 ** 20;

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
  });
  const messenger = createMessenger({
    openStream: (peer, protocol) => manager.openStream(peer, protocol),
    maxBytes: MAX_MESSAGE_BYTES,
    handlers: new Set([
      ({ from, bytes }: ReceivedMessage) => onMessage(from, new TextDecoder().decode(bytes)),
    ]),
  });
  manager.handle(MESSAGE_PROTOCOL, (stream) => messenger.serve(stream));
  return {
    peerId: identity.peerId,
    manager,
    send: (to, text) => messenger.send(to, new TextEncoder().encode(text)),
  };
}
