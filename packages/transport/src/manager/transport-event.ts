import type { PeerId } from '@nzcore/identity';
import type { Connection } from '../connection/connection.ts';
import type { RefusalReason } from './admission.ts';

/** What a connection manager tells its owner. What the hook throws changes nothing; it is written to the console. */
export type TransportEvent =
  | { readonly type: 'listening'; readonly address: string }
  | { readonly type: 'listener-failed'; readonly address: string; readonly error: Error }
  | { readonly type: 'inbound-refused'; readonly address: string; readonly reason: RefusalReason }
  | {
      readonly type: 'handshake-failed';
      readonly direction: 'inbound' | 'outbound';
      readonly address: string;
      readonly error: unknown;
    }
  | {
      readonly type: 'dial-failed';
      readonly peer: PeerId | undefined;
      readonly address: string;
      readonly error: unknown;
    }
  | { readonly type: 'connection-opened'; readonly peer: PeerId; readonly connection: Connection }
  | {
      readonly type: 'connection-closed';
      readonly peer: PeerId;
      readonly connection: Connection;
      /** Undefined after an orderly close. */
      readonly error: Error | undefined;
    }
  /** The first connection to a peer is there. */
  | { readonly type: 'peer-connected'; readonly peer: PeerId; readonly connection: Connection }
  /** The last connection to a peer is gone. */
  | { readonly type: 'peer-disconnected'; readonly peer: PeerId; readonly error: Error | undefined }
  /** Two connections to one peer met; this one is being closed. */
  | { readonly type: 'connection-superseded'; readonly peer: PeerId; readonly connection: Connection }
  /** Closed to stay within the limits. */
  | { readonly type: 'connection-pruned'; readonly peer: PeerId; readonly connection: Connection }
  | {
      readonly type: 'reconnect-scheduled';
      readonly peer: PeerId;
      /** Failures in a row. */
      readonly failures: number;
      /** Milliseconds. */
      readonly delay: number;
    }
  | {
      /** A protocol handler threw; its stream was reset. */
      readonly type: 'handler-failed';
      readonly peer: PeerId;
      readonly protocol: string;
      readonly error: unknown;
    }
  /** The store of the address book, or of the bans, failed; what is in memory goes on being used. */
  | { readonly type: 'address-book-failed'; readonly error: unknown }
  | { readonly type: 'bans-failed'; readonly error: unknown };

/** The one hook through which everything that happens is visible. */
export type OnTransportEvent = (event: TransportEvent) => void;
