import type { HandshakeResult } from '@nzcore/crypto/handshake';
import { type PeerId, peerIdFromPublicKey } from '@nzcore/identity';
import type { ByteConnection, ByteConnectionHandler } from '../byte-connection.ts';
import { abortable } from '../deferred.ts';
import type { MessageMemory } from '../messages/memory-budget.ts';
import type { SharedMemory } from '../messages/shared-memory.ts';
import { bindSignal } from '../mux/bind-signal.ts';
import type { ResolvedWireLimits } from '../mux/limits.ts';
import type { SignalOptions, Stream } from '../mux/stream.ts';
import type { Timers } from '../time/timers.ts';
import type { Connection, ConnectionStats, OpenStreamOptions } from './connection.ts';
import { ConnectionMachine } from './connection-machine.ts';
import type { StreamHandler } from './upgrade-options.ts';

export interface SecureConnectionOptions {
  readonly bytes: ByteConnection;
  readonly result: HandshakeResult;
  readonly localIdentity: Uint8Array;
  readonly limits: ResolvedWireLimits;
  readonly timers: Timers;
  readonly onStream: StreamHandler | undefined;
  readonly onGoAway: ((connection: Connection) => void) | undefined;
  /** Shared with other connections. */
  readonly sharedMemory: SharedMemory | undefined;
  /** Called once, when the first record of the remote side was authentic. */
  readonly onFirstRecord: (() => void) | undefined;
}

/** Bytes of an identity and of a static key. */
const KEY_LENGTH = 32;

/** What a user sees of a connection: who is at its other end, and what can be done with it. */
export class SecureConnection implements Connection {
  readonly #machine: ConnectionMachine;
  readonly #bytes: ByteConnection;
  /** The remote side's identity and static key, and the handshake hash: in one array, since each costs 200 bytes beside its content. */
  readonly #proved: Uint8Array;
  readonly #localIdentity: Uint8Array;
  #remotePeer: PeerId | undefined;
  #localPeer: PeerId | undefined;
  readonly remoteStaticKeyExpiresAt: number;
  readonly direction: 'inbound' | 'outbound';
  readonly version: number;
  readonly features: readonly string[];
  readonly isResumed: boolean;

  constructor(options: SecureConnectionOptions) {
    const { bytes, result } = options;
    this.#bytes = bytes;
    const { identity, staticKey } = result.remote;
    this.#proved = new Uint8Array(2 * KEY_LENGTH + result.handshakeHash.length);
    this.#proved.set(identity);
    this.#proved.set(staticKey, KEY_LENGTH);
    this.#proved.set(result.handshakeHash, 2 * KEY_LENGTH);
    this.#localIdentity = options.localIdentity;
    this.remoteStaticKeyExpiresAt = result.remote.staticKeyExpiresAt;
    this.direction = result.role === 'initiator' ? 'outbound' : 'inbound';
    this.version = result.version;
    this.features = result.features;
    this.isResumed = result.pattern === 'NNpsk0';
    this.#machine = new ConnectionMachine(options, this);
  }

  /** Gets what the socket has to say, from the end of the handshake on. */
  get handler(): ByteConnectionHandler {
    return this.#machine;
  }

  get remotePeer(): PeerId {
    this.#remotePeer ??= peerIdFromPublicKey(this.#proved.slice(0, KEY_LENGTH));
    return this.#remotePeer;
  }

  get localPeer(): PeerId {
    this.#localPeer ??= peerIdFromPublicKey(this.#localIdentity);
    return this.#localPeer;
  }

  get remoteStaticKey(): Uint8Array {
    return this.#proved.slice(KEY_LENGTH, 2 * KEY_LENGTH);
  }

  get channelBinding(): Uint8Array {
    return this.#proved.slice(2 * KEY_LENGTH);
  }

  get remoteAddress(): string {
    return this.#bytes.remoteAddress;
  }

  get localAddress(): string {
    return this.#bytes.localAddress;
  }

  get closed(): Promise<Error | undefined> {
    return this.#machine.closed;
  }

  get isOpen(): boolean {
    return this.#machine.isOpen;
  }

  get messageMemory(): MessageMemory {
    return this.#machine.budget.messages;
  }

  get stats(): ConnectionStats {
    const { receivedBytes, sentBytes, receivedRecords, sentRecords } = this.#machine.records.channel.counters;
    return {
      bytesReceived: receivedBytes,
      bytesSent: sentBytes,
      recordsReceived: receivedRecords,
      recordsSent: sentRecords,
      streams: this.#machine.mux.streams.size,
      streamsOpened: this.#machine.mux.streams.opened,
      streamsAccepted: this.#machine.mux.streams.accepted,
      unreadBytes: this.#machine.mux.unreadBytes,
      roundTrip: this.#machine.mux.pinger.roundTrip,
    };
  }

  async openStream(protocol: string, options: OpenStreamOptions = {}): Promise<Stream> {
    const { data, signal } = options;
    signal?.throwIfAborted();
    const stream = this.#machine.mux.openStream(protocol, data);
    if (signal !== undefined) bindSignal(stream, signal);
    return stream;
  }

  ping(options: SignalOptions = {}): Promise<number> {
    return abortable(this.#machine.mux.ping(), options.signal);
  }

  close(options: SignalOptions = {}): Promise<void> {
    return this.#machine.close(options);
  }

  abort(error?: Error): void {
    this.#machine.abort(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
