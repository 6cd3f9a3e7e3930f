import type { RecordCipher } from '../handshake/offer.ts';
import type { Primitives } from '../primitives.ts';
import { ChannelError, channelClosed } from './errors.ts';
import { deriveEpoch, type EpochKeys, type EpochPlace } from './key-schedule.ts';
import { LENGTH_BYTES, type RecordTypeNumber, SEAL_OVERHEAD, TYPE_BYTES, writeUint32 } from './record.ts';

// Up to this size a record is one contiguous chunk: a copy of 16 KiB costs a microsecond, a second chunk in a write as much.
const CONTIGUOUS = 16_384;
// Leading parts up to this size (frame headers) travel with the length and the type in one piece.
const LEADING = 1_024;
// Written right before each use and read before it ends, so that all channels can share them.
const nonce = new Uint8Array(12);
const header = new Uint8Array(LENGTH_BYTES);

const typeBytes: readonly Uint8Array[] = [0, 1, 2, 3, 4, 5].map((type) => Uint8Array.of(type));

/** What both sides of a direction need. */
export interface SideOptions {
  readonly primitives: Primitives;
  readonly recordCipher: RecordCipher;
  readonly hardRecords: number;
}

/** The sending direction of a stream channel: the current key, its counter, and the secret of the next epoch. */
export class SendingSide {
  readonly #options: SideOptions;
  #keys: EpochKeys | undefined;
  /** Records and bytes under the current key. */
  records = 0;
  bytes = 0;

  /** @param secret - The first traffic secret; owned from now on. @param place - For the keys; zeroed by `wipe`. */
  constructor(secret: Uint8Array, options: SideOptions, place: EpochPlace) {
    this.#options = options;
    this.#keys = deriveEpoch(secret, options, place);
  }

  /** Goes on with a new traffic secret (after a Diffie-Hellman step); owned from now on. */
  install(secret: Uint8Array): void {
    if (!this.#keys) throw channelClosed();
    this.#keys.renew(secret);
    this.records = 0;
    this.bytes = 0;
  }

  /** One step of the symmetric ratchet: old keys are zeroed, the counter starts again. */
  step(): void {
    if (!this.#keys) throw channelClosed();
    this.install(this.#keys.takeNext());
  }

  /**
   * Seals one record. Large parts are not copied, and nothing is kept of them.
   * @param length - The sum of the lengths of `parts`.
   */
  seal(type: RecordTypeNumber, parts: readonly Uint8Array[], length: number): Uint8Array[] {
    if (!this.#keys) throw channelClosed();
    if (this.records >= this.#options.hardRecords) {
      throw new ChannelError('LIMIT_REACHED', 'this key has protected as many records as it may');
    }
    const sealedLength = length + SEAL_OVERHEAD;
    writeUint32(header, 0, sealedLength);
    const key = this.#keys.select(sealedLength, this.records, nonce);
    this.records += 1;
    this.bytes += sealedLength;
    if (sealedLength > CONTIGUOUS) {
      return joinHeader(key.sealParts(nonce, withType(type, parts), header));
    }
    const wire = key.sealParts(nonce, [typeBytes[type]!, ...parts], header, LENGTH_BYTES);
    wire[0]!.set(header);
    return wire;
  }

  /** Zeroes everything; `seal` throws afterwards. */
  wipe(): void {
    this.#keys?.wipe();
    this.#keys = undefined;
  }
}

function contiguous(type: RecordTypeNumber, parts: readonly Uint8Array[], length: number): Uint8Array {
  const plaintext = new Uint8Array(TYPE_BYTES + length);
  plaintext[0] = type;
  let at = TYPE_BYTES;
  for (const part of parts) {
    plaintext.set(part, at);
    at += part.length;
  }
  return plaintext;
}

/** The type and the small leading parts in one piece, then the others as they are. */
function withType(type: RecordTypeNumber, parts: readonly Uint8Array[]): Uint8Array[] {
  let leading = 0;
  let length = 0;
  while (leading < parts.length && length + parts[leading]!.length <= LEADING) {
    length += parts[leading]!.length;
    leading += 1;
  }
  const pieces = [contiguous(type, leading === 0 ? [] : parts.slice(0, leading), length)];
  for (let i = leading; i < parts.length; i++) pieces.push(parts[i]!);
  return pieces;
}

/** Puts the length in front of the first, small chunk. */
function joinHeader(chunks: Uint8Array[]): Uint8Array[] {
  const first = chunks[0]!;
  const joined = new Uint8Array(LENGTH_BYTES + first.length);
  joined.set(header);
  joined.set(first, LENGTH_BYTES);
  chunks[0] = joined;
  return chunks;
}
