import type { PeerId } from '@nzcore/identity';
import type { ReceivedMessage } from '@nzcore/transport';
import type { NodeError } from './errors.ts';

/** What a node is doing. A start that fails leads back to `stopped`. */
export type NodeState = 'stopped' | 'starting' | 'running' | 'stopping';

/** Everything that a node tells, by name. */
export interface NodeEvents {
  readonly state: { readonly state: NodeState };
  /** Others can connect to these addresses, each with this peer's name at its end. */
  readonly listening: { readonly addresses: readonly string[] };
  /** The first connection to a peer is there. */
  readonly connected: {
    readonly peerId: PeerId;
    readonly address: string;
    readonly direction: 'inbound' | 'outbound';
  };
  /** The last connection to a peer is gone. */
  readonly disconnected: { readonly peerId: PeerId; readonly reason: string };
  /** A peer could not be reached at an address. */
  readonly dialFailed: {
    readonly peerId: PeerId | undefined;
    readonly address: string;
    /** `code` of a TransportError, `UNKNOWN` for anything else. */
    readonly code: string;
    readonly message: string;
  };
  /** The next try to reach a peer that this node stays connected to. */
  readonly reconnecting: { readonly peerId: PeerId; readonly delay: number };
  /** A message arrived; see `onMessage` for a handler that the sender's acknowledgement waits for. */
  readonly message: ReceivedMessage;
  /** Something that the owner has to look at: the node goes on, but not as it was meant to. */
  readonly problem: NodeError;
}
