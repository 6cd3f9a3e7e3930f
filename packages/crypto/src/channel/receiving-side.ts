import { BytePool, POOLED } from '../byte-pool.ts';
import { CryptoError } from '../errors.ts';
import type { AeadKey, Opener } from '../primitives.ts';
import { releaseChunks } from '../release-buffer.ts';
import { channelClosed, invalidRecord } from './errors.ts';
import { GrowingBytes } from './growing-bytes.ts';
import { deriveEpoch, type EpochKeys, type EpochPlace } from './key-schedule.ts';
import { LENGTH_BYTES, readUint32, SEAL_OVERHEAD, SMALL_RECORD, TAG_BYTES, writeUint32 } from './record.ts';
import type { SideOptions } from './sending-side.ts';

// Written right before each use and read before it ends, so that all channels can share them.
const nonce = new Uint8Array(12);
const header = new Uint8Array(LENGTH_BYTES);

const pool: BytePool = new BytePool();

/** A record of which only the beginning has arrived. */
interface PartialRecord {
  /** Sealed length, as announced. */
  readonly length: number;
  /** Ciphertext of a small record, to be opened in one piece; or plaintext of a large one, not yet authenticated. */
  readonly bytes: GrowingBytes;
  /** Present for large records: deciphers piece by piece. */
  readonly opener: Opener | undefined;
  readonly tag: GrowingBytes;
}

export interface ReceivingOptions extends SideOptions {
  /** Longest content of a record. */
  readonly maxContent: number;
}

/** Who is told of records. */
export interface RecordHandler {
  /** Small plaintexts may share their ArrayBuffer. */
  readonly isSharing: boolean;
  /** One whole authenticated plaintext in fresh memory, the type byte in front. Answers whether to go on. */
  handleRecord(plaintext: Uint8Array): boolean;
}

/** The receiving direction of a stream channel: framing, the current key, its counter, and the next epoch's secret. */
export class ReceivingSide {
  readonly #options: SideOptions;
  readonly #maxSealed: number;
  /** How much of a record's length has arrived, and its bytes so far as a number. */
  #headerLength = 0;
  #headerValue = 0;
  #at = 0;
  #partial: PartialRecord | undefined;
  #keys: EpochKeys | undefined;
  /** Records under the current key. */
  records = 0;

  /**
   * @param secret - The first traffic secret; owned from now on.
   * @param place - For the keys; zeroed by `wipe`.
   */
  constructor(secret: Uint8Array, options: ReceivingOptions, place: EpochPlace) {
    this.#options = options;
    this.#maxSealed = options.maxContent + SEAL_OVERHEAD;
    this.#keys = deriveEpoch(secret, options, place);
  }

  /** Goes on with a new traffic secret (after a Diffie-Hellman step); owned from now on. */
  install(secret: Uint8Array): void {
    if (!this.#keys) throw channelClosed();
    this.#keys.renew(secret);
    this.records = 0;
  }

  /** One step of the symmetric ratchet: old keys are zeroed, the counter starts again. */
  step(): void {
    if (!this.#keys) throw channelClosed();
    this.install(this.#keys.takeNext());
  }

  /** Says whether the stream stands between two records. */
  get isAtBoundary(): boolean {
    return this.#headerLength === 0 && this.#partial === undefined;
  }

  /**
   * Takes bytes of the stream, in any slicing; the handler is called for every record that they complete.
   * @returns Whether the whole chunk was used: not, when the handler stopped before its end.
   */
  receive(chunk: Uint8Array, handler: RecordHandler): boolean {
    this.#at = 0;
    while (this.#at < chunk.length) {
      const plaintext = this.#partial ? this.#continue(this.#partial, chunk) : this.#begin(chunk, handler);
      if (plaintext && !handler.handleRecord(plaintext)) return this.#at === chunk.length;
    }
    return true;
  }

  /** Zeroes everything. */
  wipe(): void {
    this.#keys?.wipe();
    this.#keys = undefined;
    this.#partial?.bytes.wipe();
    this.#partial?.opener?.dispose();
    this.#partial = undefined;
  }

  /** A record that lies in the chunk as a whole is opened where it is. */
  #begin(chunk: Uint8Array, { isSharing }: RecordHandler): Uint8Array | undefined {
    const start = this.#at;
    if (this.#headerLength === 0 && chunk.length - start >= LENGTH_BYTES) {
      const end = start + LENGTH_BYTES + this.#checkLength(readUint32(chunk, start));
      if (end <= chunk.length) {
        this.#at = end;
        return this.#open(chunk.subarray(start + LENGTH_BYTES, end), isSharing);
      }
    }
    while (this.#at < chunk.length && this.#headerLength < LENGTH_BYTES) {
      this.#headerValue = this.#headerValue * 256 + chunk[this.#at++]!;
      this.#headerLength += 1;
    }
    if (this.#headerLength === LENGTH_BYTES) this.#beginPartial(this.#checkLength(this.#headerValue));
    return undefined;
  }

  #beginPartial(length: number): void {
    const isSmall = length <= SMALL_RECORD;
    const opener = isSmall ? undefined : this.#nextKey(length).createOpener(nonce, header);
    const bytes = new GrowingBytes(isSmall ? length : length - TAG_BYTES);
    this.#partial = { length, bytes, opener, tag: new GrowingBytes(TAG_BYTES) };
  }

  #continue(partial: PartialRecord, chunk: Uint8Array): Uint8Array | undefined {
    const { bytes, opener, tag, length } = partial;
    const bodyLength = opener ? length - TAG_BYTES : length;
    if (bytes.length < bodyLength) {
      const piece = this.#take(chunk, bodyLength - bytes.length);
      if (opener) appendOpened(bytes, opener.update(piece));
      else bytes.append(piece);
    }
    if (opener && bytes.length === bodyLength) tag.append(this.#take(chunk, TAG_BYTES - tag.length));
    if (bytes.length < bodyLength || (opener && tag.length < TAG_BYTES)) return undefined;
    this.#partial = undefined;
    this.#headerLength = 0;
    this.#headerValue = 0;
    return opener ? this.#finish(opener, partial) : this.#open(bytes.take(), false);
  }

  /** Only now is the plaintext of a record that came in pieces to be believed. */
  #finish(opener: Opener, { bytes, tag }: PartialRecord): Uint8Array {
    try {
      opener.final(tag.take());
    } catch (cause) {
      bytes.wipe();
      throw refusal(cause);
    }
    this.records += 1;
    return bytes.take();
  }

  /** Up to `length` of the chunk's next bytes; borrowed. */
  #take(chunk: Uint8Array, length: number): Uint8Array {
    const piece = chunk.subarray(this.#at, this.#at + length);
    this.#at += piece.length;
    return piece;
  }

  #open(sealed: Uint8Array, isSharing: boolean): Uint8Array {
    const key = this.#nextKey(sealed.length);
    try {
      const target = isSharing && sealed.length <= POOLED ? pool.take(sealed.length - TAG_BYTES) : undefined;
      if (target) key.openInto(target, nonce, sealed, header);
      const plaintext = target ?? key.open(nonce, sealed, header);
      this.records += 1;
      return plaintext;
    } catch (cause) {
      throw refusal(cause);
    }
  }

  /** The key of a record by its size, with nonce and associated data made ready. */
  #nextKey(length: number): AeadKey {
    const keys = this.#keys;
    if (!keys || this.records >= this.#options.hardRecords) throw invalidRecord();
    writeUint32(header, 0, length);
    return keys.select(length, this.records, nonce);
  }

  /** Bounded before anything is allocated or deciphered (NZ-CHANNEL-01 §5.1). */
  #checkLength(length: number): number {
    if (length < SEAL_OVERHEAD || length > this.#maxSealed) throw invalidRecord();
    return length;
  }
}

/** The piece has been copied: neither its bytes nor its memory are of use any more. */
function appendOpened(bytes: GrowingBytes, piece: Uint8Array): void {
  bytes.append(piece);
  releaseChunks([piece]);
}

/** A primitive that cannot run here is the program's fault; everything else is the peer's. */
function refusal(cause: unknown): Error {
  return cause instanceof CryptoError && cause.code !== 'AUTHENTICATION_FAILED' ? cause : invalidRecord();
}
