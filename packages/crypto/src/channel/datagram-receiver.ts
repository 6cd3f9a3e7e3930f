import { CryptoError } from '../errors.ts';
import { EpochChain, type ReceivingEpoch } from './datagram-epochs.ts';
import { DATAGRAM_HEADER, MAX_DATAGRAM, readDatagramHeader } from './datagram-header.ts';
import { channelClosed, invalidRecord } from './errors.ts';
import { SEAL_OVERHEAD } from './record.ts';
import type { SideOptions } from './sending-side.ts';

// Written right before each use and read before it ends, so that all channels can share it.
const nonce = new Uint8Array(12);

/** The receiving direction of a datagram channel: current and previous epoch, and the chains that lead on. */
export class DatagramReceiver {
  readonly #options: SideOptions;
  #current: ReceivingEpoch;
  #previous: ReceivingEpoch | undefined;
  #chain: EpochChain;
  #nextChain: EpochChain | undefined;
  #isDead = false;

  /** @param secret - Traffic secret of generation 0; owned from now on. */
  constructor(secret: Uint8Array, options: SideOptions) {
    this.#options = options;
    this.#chain = new EpochChain(0, secret, options);
    this.#current = this.#chain.peek(0)!;
    this.#chain.advance(0);
  }

  get generation(): number {
    return this.#current.generation;
  }

  get step(): number {
    return this.#current.step;
  }

  get hasPrevious(): boolean {
    return this.#previous !== undefined;
  }

  /** From now on datagrams of the next generation are understood too; the secret is owned. */
  expectGeneration(secret: Uint8Array): void {
    this.#nextChain?.wipe();
    this.#nextChain = new EpochChain(this.generation + 1, secret, this.#options);
  }

  /**
   * Opens one datagram; the plaintext begins with the type byte.
   * @throws ChannelError `INVALID_RECORD`; nothing has changed then.
   */
  open(datagram: Uint8Array): Uint8Array {
    if (this.#isDead) throw channelClosed();
    if (datagram.length < DATAGRAM_HEADER + SEAL_OVERHEAD || datagram.length > MAX_DATAGRAM)
      throw invalidRecord();
    const { generation, step, counter } = readDatagramHeader(datagram);
    const epoch = this.#find(generation, step);
    // The window is asked before any work is done for a replay, and told only of what is authentic (RFC 6479).
    if (!epoch || counter >= this.#options.hardRecords || !epoch.window.accepts(counter))
      throw invalidRecord();
    const plaintext = this.#decrypt(epoch, counter, datagram);
    epoch.window.add(counter);
    if (epoch !== this.#current && epoch !== this.#previous) this.#moveTo(epoch);
    return plaintext;
  }

  /** Erases the previous epoch. */
  forgetPrevious(): void {
    if (this.#previous) this.#previous.keys.wipe();
    this.#previous = undefined;
  }

  wipe(): void {
    this.#isDead = true;
    this.forgetPrevious();
    this.#current.keys.wipe();
    this.#chain.wipe();
    this.#nextChain?.wipe();
  }

  #find(generation: number, step: number): ReceivingEpoch | undefined {
    for (const epoch of [this.#current, this.#previous]) {
      if (epoch?.generation === generation && epoch.step === step) return epoch;
    }
    if (generation === this.#chain.generation) return this.#chain.peek(step);
    if (generation === this.#nextChain?.generation) return this.#nextChain.peek(step);
    return undefined;
  }

  #decrypt({ keys }: ReceivingEpoch, counter: number, datagram: Uint8Array): Uint8Array {
    const header = datagram.subarray(0, DATAGRAM_HEADER);
    const sealed = datagram.subarray(DATAGRAM_HEADER);
    try {
      return keys.select(sealed.length, counter, nonce).open(nonce, sealed, header);
    } catch (cause) {
      throw cause instanceof CryptoError && cause.code !== 'AUTHENTICATION_FAILED' ? cause : invalidRecord();
    }
  }

  #moveTo(epoch: ReceivingEpoch): void {
    if (epoch.generation !== this.#chain.generation) {
      this.#chain.wipe();
      this.#chain = this.#nextChain!;
      this.#nextChain = undefined;
    }
    this.#chain.advance(epoch.step);
    this.forgetPrevious();
    this.#previous = this.#current;
    this.#current = epoch;
  }
}
