import { releaseBuffer, releaseChunks } from '@nzcore/crypto';
import type { ChannelSink, StreamChannel } from '@nzcore/crypto/channel';
import type { ByteConnection } from '../byte-connection.ts';
import { ownBytes } from '../own-bytes.ts';

/** Sealed bytes that are gathered for one write: for each 64 KiB it saves the kernel a third of its work on both sides. */
const WRITE_SIZE = 256 * 1024;

/** Answers of the channel that may wait behind a socket that takes nothing, in bytes: an honest peer asks for one a minute. */
const MAX_BLOCKED_CONTROL = 64 * 1024;

/** Who gets what arrives. */
export interface RecordOwner {
  /** @returns whether the bytes are kept; else their memory is given back. */
  onRecord(plaintext: Uint8Array): boolean;
  onRemoteClose(): void;
}

/** A channel on its socket: records leave in the order in which they were sealed, several of them in one write. */
export class RecordChannel implements ChannelSink {
  readonly channel: StreamChannel;
  readonly isSharing = true;
  readonly #bytes: ByteConnection;
  readonly #owner: RecordOwner;
  /** Chunks of records that were sealed and wait to be written together. */
  #sealed: Uint8Array[] | undefined;
  #sealedBytes = 0;
  #blockedControl = 0;

  constructor(channel: StreamChannel, bytes: ByteConnection, owner: RecordOwner) {
    this.channel = channel;
    this.#bytes = bytes;
    this.#owner = owner;
  }

  /** Bytes from the socket. @throws ChannelError */
  receive(chunk: Uint8Array): void {
    this.channel.receive(chunk, this);
  }

  /** For the channel: one authentic record. */
  onData(plaintext: Uint8Array): void {
    if (!this.#owner.onRecord(plaintext)) this.release(plaintext);
  }

  /** Nobody will look at these bytes any more. */
  release(plaintext: Uint8Array): void {
    releaseBuffer(plaintext.buffer);
  }

  /** For the channel: the remote side's goodbye. */
  onClose(): void {
    this.#owner.onRemoteClose();
  }

  /** Seals a record, which may wait for `flush`. @returns false when the socket has enough. @throws ChannelError */
  send(parts: readonly Uint8Array[]): boolean {
    this.#gather(this.channel.seal(parts));
    return this.#sealedBytes < WRITE_SIZE || this.flush();
  }

  /** Writes what waits. @returns false when the socket has enough. */
  flush(): boolean {
    const chunks = this.#sealed;
    if (chunks === undefined) return true;
    this.drop();
    // What waits for long must not keep memory that it shares with others.
    const isWaiting = this.#bytes.heldBytes !== 0;
    const isWritable = this.#bytes.write(isWaiting ? chunks.map(ownBytes) : chunks);
    if (this.#bytes.heldBytes === 0) releaseChunks(chunks);
    return isWritable;
  }

  /** Sends what the channel itself has to say. @returns false when the remote side asks for answers and does not read them. */
  sendControl(): boolean {
    const chunks = this.channel.takeControl();
    if (chunks === undefined) return true;
    this.#gather(chunks);
    if (this.flush()) return true;
    for (const { length } of chunks) this.#blockedControl += length;
    return this.#blockedControl <= MAX_BLOCKED_CONTROL;
  }

  /** Says that nothing follows, and ends the sending side of the socket. */
  sendGoodbye(): void {
    this.#gather(this.channel.close());
    this.flush();
    this.#bytes.end();
  }

  /** The socket takes more again. */
  onDrain(): void {
    this.#blockedControl = 0;
  }

  /** Forgets what was not written. */
  drop(): void {
    this.#sealed = undefined;
    this.#sealedBytes = 0;
  }

  #gather(chunks: Uint8Array[]): void {
    for (const { length } of chunks) this.#sealedBytes += length;
    if (this.#sealed === undefined) this.#sealed = chunks;
    else this.#sealed.push(...chunks);
  }
}
