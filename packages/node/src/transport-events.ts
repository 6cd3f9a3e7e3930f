import type { PeerId } from '@nzcore/identity';
import { TransportError, type TransportEvent } from '@nzcore/transport';
import { NodeError } from './errors.ts';
import type { TypedEventTarget } from './events.ts';
import type { NodeEvents } from './node-events.ts';

/** What is needed to tell the node's events. */
export interface TransportEventOptions {
  readonly target: TypedEventTarget<NodeEvents>;
  /** Peers whose owner named their address. */
  readonly bootstrapPeers: ReadonlySet<PeerId>;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Turns what the connection manager tells into the node's events. */
export function transportEvents(options: TransportEventOptions): (event: TransportEvent) => void {
  const { target } = options;
  const unmet = new Set(options.bootstrapPeers);
  const onDialFailed = ({ peer: peerId, address, error }: TransportEvent & { type: 'dial-failed' }): void => {
    const code = error instanceof TransportError ? error.code : 'UNKNOWN';
    target.emit('dialFailed', { peerId, address, code, message: messageOf(error) });
    // Once it was reached, a stranger at one of its addresses is no surprise: addresses change hands.
    if (code !== 'PEER_MISMATCH' || peerId === undefined || !unmet.has(peerId)) return;
    const message = `somebody else than ${peerId} answers at ${address}: check the bootstrap address with its owner`;
    target.emit('problem', new NodeError('BOOTSTRAP_MISMATCH', message, { cause: error }));
  };
  return (event) => {
    switch (event.type) {
      case 'dial-failed':
        return onDialFailed(event);
      case 'peer-connected': {
        unmet.delete(event.peer);
        const { remoteAddress: address, direction } = event.connection;
        return target.emit('connected', { peerId: event.peer, address, direction });
      }
      case 'peer-disconnected': {
        const reason = event.error === undefined ? 'closed' : messageOf(event.error);
        return target.emit('disconnected', { peerId: event.peer, reason });
      }
      case 'reconnect-scheduled':
        return target.emit('reconnecting', { peerId: event.peer, delay: event.delay });
      case 'listener-failed': {
        const message = `no longer listening on ${event.address}: ${event.error.message}`;
        return target.emit('problem', new NodeError('LISTENER_LOST', message, { cause: event.error }));
      }
      default:
        return;
    }
  };
}
