import type { PeerId } from '@nzcore/identity';
import type { MessageMemory } from '../messages/memory-budget.ts';
import type { SignalOptions, Stream } from '../mux/stream.ts';

/** Counters of one connection. */
export interface ConnectionStats {
  /** Bytes of records, without the handshake. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly recordsReceived: number;
  readonly recordsSent: number;
  /** Streams that are open now. */
  readonly streams: number;
  /** Streams opened so far, by direction. */
  readonly streamsOpened: number;
  readonly streamsAccepted: number;
  /** Bytes that arrived and that no reader has taken yet. */
  readonly unreadBytes: number;
  /** Last measured round trip in milliseconds. */
  readonly roundTrip: number | undefined;
}

/** Options of `Connection.openStream`. */
export interface OpenStreamOptions extends SignalOptions {
  /** First bytes, sent in the same frame as the protocol name. Treated as by `Stream.write`. */
  readonly data?: Uint8Array;
}

/** An authenticated, encrypted connection to one peer that carries any number of streams. */
export interface Connection extends AsyncDisposable {
  readonly remotePeer: PeerId;
  readonly localPeer: PeerId;
  /** X25519 static key that the remote side proved, for a faster handshake next time. 32 bytes, a copy. */
  readonly remoteStaticKey: Uint8Array;
  /** When the certificate of that key expires, in milliseconds since the epoch. */
  readonly remoteStaticKeyExpiresAt: number;
  /** Multiaddr text of the other end, without `/p2p`. */
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly direction: 'inbound' | 'outbound';
  /** Version of NZ-WIRE-01 that both sides speak. */
  readonly version: number;
  /** Names of the features that both sides have. */
  readonly features: readonly string[];
  /** The handshake resumed an earlier connection: it was that one, at most an hour ago, in which the identities were proved. */
  readonly isResumed: boolean;
  /** Handshake hash: the same on both sides, different for every connection. A copy. */
  readonly channelBinding: Uint8Array;
  /** Resolves once, when the connection is gone: with undefined after an orderly close, else with the reason. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /** False as soon as no new stream can be opened: draining, closed or failed. */
  readonly isOpen: boolean;
  readonly stats: ConnectionStats;
  /** What the message layer may hold for the peer. */
  readonly messageMemory: MessageMemory;
  /**
   * Opens a stream without a round trip: name and first bytes travel in one frame. An abort of the signal resets the stream
   * for as long as it is open.
   *
   * @throws TransportError `GOING_AWAY`, `CONNECTION_CLOSED`, `CONNECTION_LOST` or `STREAM_LIMIT`.
   */
  openStream(protocol: string, options?: OpenStreamOptions): Promise<Stream>;
  /** Measures a round trip in milliseconds. @throws TransportError when the connection ends first. */
  ping(options?: SignalOptions): Promise<number>;
  /** Takes no new streams, waits for the open ones, says goodbye in an authenticated way. An abort of the signal drops the streams. */
  close(options?: SignalOptions): Promise<void>;
  /** Drops the connection at once; all streams fail with the error. */
  abort(error?: Error): void;
}
