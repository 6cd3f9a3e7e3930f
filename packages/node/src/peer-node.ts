import type { PeerId } from '@nzcore/identity';
import type { MessageHandler, SignalOptions, Stream } from '@nzcore/transport';
import type { TypedEventTarget } from './events.ts';
import type { NodeEvents, NodeState } from './node-events.ts';

/** A peer that is connected now. */
export interface ConnectedPeer {
  readonly peerId: PeerId;
  /** Multiaddr text of the other end. */
  readonly address: string;
  readonly direction: 'inbound' | 'outbound';
}

/** Takes over a stream that another peer opened; when it fails, the stream is reset. */
export type NodeStreamHandler = (stream: Stream) => void | Promise<void>;

/** A running peer. Events are in {@link NodeEvents}; disposing stops it. */
export interface PeerNode extends TypedEventTarget<NodeEvents>, AsyncDisposable {
  readonly state: NodeState;
  /** Who this node is. @throws NodeError `NOT_RUNNING` before it is opened */
  readonly peerId: PeerId;
  /** How others reach it, each with its name at the end; empty while it does not listen. */
  readonly addresses: readonly string[];
  /**
   * Opens the parts, listens, and begins to connect to the bootstrap peers; resolves when it can be reached. When a
   * step fails, what was opened is closed again.
   *
   * @throws what the parts throw, with TransportError `LISTEN_FAILED`; NodeError `NOT_RUNNING` when it is not stopped
   */
  start(options?: SignalOptions): Promise<void>;
  /** Says goodbye to the peers and closes everything, in the reverse order. May be called at any time. */
  stop(): Promise<void>;
  /**
   * Sends a message; resolves when the other peer's handlers have taken it.
   *
   * @throws NodeError `SEND_FAILED` when that is not known to have happened, `NOT_RUNNING`
   */
  send(peer: PeerId, bytes: Uint8Array, options?: SignalOptions): Promise<void>;
  /**
   * Takes messages until the returned function is called. The sender's acknowledgement waits for what `handler`
   * answers; without any handler, senders are refused.
   */
  onMessage(handler: MessageHandler): () => void;
  /** Serves streams of a protocol, also across restarts, until the returned function is called. */
  handle(protocol: string, handler: NodeStreamHandler): () => void;
  /** Opens a stream to a peer, over the connection there is or a new one. */
  openStream(peer: PeerId, protocol: string, options?: SignalOptions): Promise<Stream>;
  /** Connects to a peer by its name, or by an address, which is then in the address book. */
  connect(target: string, options?: SignalOptions): Promise<PeerId>;
  /** Peers that are connected now. */
  peers(): readonly ConnectedPeer[];
  /** Peers of the address book, connected or not. */
  knownPeers(): readonly PeerId[];
}
