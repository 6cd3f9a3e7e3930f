import { DATAGRAM_HEADER, MAX_EPOCH_NUMBER, writeDatagramHeader } from './datagram-header.ts';
import { ChannelError, channelClosed } from './errors.ts';
import { type EpochKeys, stepSecret } from './key-schedule.ts';
import { type RecordTypeNumber, SEAL_OVERHEAD, TYPE_BYTES } from './record.ts';
import type { SideOptions } from './sending-side.ts';

// Written right before each use and read before it ends, so that all channels can share them.
const nonce = new Uint8Array(12);
const header = new Uint8Array(DATAGRAM_HEADER);

/** The sending direction of a datagram channel. */
export class DatagramSender {
  readonly #options: SideOptions;
  #secret: Uint8Array;
  #keys: EpochKeys | undefined;
  generation = 0;
  step = -1;
  /** Datagrams and bytes under the current key. */
  records = 0;
  bytes = 0;

  /** @param secret - Traffic secret of generation 0; owned from now on. */
  constructor(secret: Uint8Array, options: SideOptions) {
    this.#options = options;
    this.#secret = secret;
    this.advance();
  }

  /** Goes on under the traffic secret of the next generation; owned from now on. */
  startGeneration(secret: Uint8Array): void {
    this.#options.primitives.wipe(this.#secret);
    this.#secret = secret;
    this.generation += 1;
    this.step = -1;
    this.advance();
  }

  /** One step of the symmetric ratchet. */
  advance(): void {
    if (this.step === MAX_EPOCH_NUMBER)
      throw new ChannelError('LIMIT_REACHED', 'the last epoch has been used');
    const { recordCipher, primitives } = this.#options;
    const { keys, next } = stepSecret(this.#secret, recordCipher, primitives);
    this.#keys?.wipe();
    this.#keys = keys;
    this.#secret = next;
    this.step += 1;
    this.records = 0;
    this.bytes = 0;
  }

  /** Seals one datagram. */
  seal(type: RecordTypeNumber, content: Uint8Array): Uint8Array {
    if (!this.#keys) throw channelClosed();
    if (this.records >= this.#options.hardRecords) {
      throw new ChannelError('LIMIT_REACHED', 'this key has protected as many datagrams as it may');
    }
    const { generation, step, records: counter } = this;
    writeDatagramHeader(header, { generation, step, counter });
    const key = this.#keys.select(content.length + SEAL_OVERHEAD, counter, nonce);
    this.records += 1;
    this.bytes += content.length + SEAL_OVERHEAD;
    const plaintext = new Uint8Array(TYPE_BYTES + content.length);
    plaintext[0] = type;
    plaintext.set(content, TYPE_BYTES);
    const sealed = key.seal(nonce, plaintext, header);
    const datagram = new Uint8Array(DATAGRAM_HEADER + sealed.length);
    datagram.set(header);
    datagram.set(sealed, DATAGRAM_HEADER);
    return datagram;
  }

  wipe(): void {
    this.#options.primitives.wipe(this.#secret);
    this.#keys?.wipe();
    this.#keys = undefined;
  }
}
