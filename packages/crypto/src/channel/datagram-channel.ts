import { primitives as defaultPrimitives } from '../default-primitives.ts';
import type { Primitives } from '../primitives.ts';
import { DATAGRAM_HEADER, MAX_DATAGRAM, MAX_EPOCH_NUMBER } from './datagram-header.ts';
import { DatagramReceiver } from './datagram-receiver.ts';
import { DatagramSender } from './datagram-sender.ts';
import { DhRatchet } from './dh-ratchet.ts';
import { channelClosed, invalidRecord } from './errors.ts';
import { type Direction, deriveTrafficSecrets } from './key-schedule.ts';
import { type ChannelLimits, resolveLimits } from './limits.ts';
import { RecordType, type RecordTypeNumber, SEAL_OVERHEAD, TYPE_BYTES } from './record.ts';
import type { ChannelBasis, ChannelCounters, ChannelOptions, DatagramChannel } from './types.ts';

// What a peer may make us compute (NZ-CHANNEL-01 §6.5): one key agreement for each MiB exchanged, beside a few.
const CREDIT_BYTES = 2 ** 20;
// An offer or its answer may be lost: it is sent again after this time, then after twice the time, until it is answered.
const FIRST_RETRY = 2_000;
const LAST_RETRY = 64_000;
// Longer than datagrams are under way in the Internet, and still short (NZ-CHANNEL-01 §7.4).
const PREVIOUS_EPOCH_LIFETIME = 30_000;
const GENERATION_BYTES = 2;
const nothing = new Uint8Array(0);

/** The offer that was answered last: the same one may come again, when the answer was lost. */
interface Answered {
  readonly offer: Uint8Array;
  readonly answer: Uint8Array;
  /** Our sending secret of the next generation, until the peer is seen to use it. */
  sendingSecret: Uint8Array | undefined;
}

class DatagramChannelMachine implements DatagramChannel {
  readonly maxPlaintext: number;
  readonly #primitives: Primitives;
  readonly #limits: ChannelLimits;
  readonly #sends: Direction;
  readonly #receives: Direction;
  readonly #sender: DatagramSender;
  readonly #receiver: DatagramReceiver;
  readonly #ratchet: DhRatchet;
  readonly #control: Uint8Array[] = [];
  #offered: Uint8Array | undefined;
  #offeredAt = 0;
  #retry = FIRST_RETRY;
  #answered: Answered | undefined;
  #wantsOffer = false;
  #isInUse = false;
  #isClosed = false;
  isRemoteClosed = false;
  #now: number;
  #updatedAt: number;
  #ratchetedAt: number;
  #previousUntil: number | undefined;
  #exchanged = 0;
  #sinceCredit = 0;
  #sentBytes = 0;
  #receivedBytes = 0;
  #sentRecords = 0;
  #receivedRecords = 0;
  #keyUpdates = 0;

  constructor(basis: ChannelBasis, options: ChannelOptions) {
    const { role, recordCipher, maxRecordSize, secrets } = basis;
    const { now, primitives = defaultPrimitives, limits = {} } = options;
    this.#limits = resolveLimits(limits, recordCipher);
    this.#primitives = primitives;
    this.maxPlaintext = Math.min(maxRecordSize, MAX_DATAGRAM - DATAGRAM_HEADER - SEAL_OVERHEAD);
    this.#sends = role;
    this.#receives = role === 'initiator' ? 'responder' : 'initiator';
    const root = secrets.take('datagram');
    const traffic = deriveTrafficSecrets(root, primitives);
    const side = { primitives, recordCipher, hardRecords: this.#limits.hardRecords };
    this.#sender = new DatagramSender(traffic[this.#sends], side);
    this.#receiver = new DatagramReceiver(traffic[this.#receives], side);
    this.#ratchet = new DhRatchet(root, role, primitives);
    this.#now = now;
    this.#updatedAt = now;
    this.#ratchetedAt = now;
  }

  get counters(): ChannelCounters {
    return {
      sentBytes: this.#sentBytes,
      receivedBytes: this.#receivedBytes,
      sentRecords: this.#sentRecords,
      receivedRecords: this.#receivedRecords,
      keyUpdates: this.#keyUpdates,
      ratchets: this.#ratchet.steps,
    };
  }

  get nextTimeout(): number | undefined {
    if (this.#isClosed) return undefined;
    const { updateInterval, ratchetInterval } = this.#limits;
    const regular = Math.min(this.#updatedAt + updateInterval, this.#ratchetedAt + ratchetInterval);
    const retry = this.#offered ? this.#offeredAt + this.#retry : regular;
    return Math.min(regular, retry, this.#previousUntil ?? regular);
  }

  seal(plaintext: Uint8Array): Uint8Array {
    if (this.#isClosed) throw channelClosed();
    if (plaintext.length > this.maxPlaintext)
      throw new RangeError(`a datagram holds at most ${this.maxPlaintext} bytes`);
    const { updateRecords, updateBytes } = this.#limits;
    if (this.#sender.records >= updateRecords || this.#sender.bytes >= updateBytes) this.#update();
    const datagram = this.#seal(RecordType.data, plaintext);
    this.#sentRecords += 1;
    this.#count(plaintext.length);
    return datagram;
  }

  open(datagram: Uint8Array): Uint8Array | undefined {
    if (this.#isClosed) throw channelClosed();
    const { generation, step } = this.#receiver;
    const plaintext = this.#receiver.open(datagram);
    this.#receivedBytes += datagram.length;
    if (this.#receiver.generation !== generation || this.#receiver.step !== step) this.#followPeer();
    const content = plaintext.subarray(TYPE_BYTES);
    const type = plaintext[0];
    if (type === RecordType.data) {
      this.#receivedRecords += 1;
      this.#count(content.length);
      return content;
    }
    if (type === RecordType.ratchetOffer) this.#receiveOffer(content);
    else if (type === RecordType.ratchetAnswer) this.#receiveAnswer(content);
    else if (type === RecordType.close && content.length === 0) this.isRemoteClosed = true;
    else if (type !== RecordType.ratchetCommit || content.length > 0) throw invalidRecord();
    return undefined;
  }

  takeControl(): Uint8Array[] | undefined {
    if (this.#isClosed) return undefined;
    if (this.#wantsOffer && this.#mayOffer) this.#offer();
    return this.#control.length === 0 ? undefined : this.#control.splice(0);
  }

  onTimeout(now: number): void {
    if (this.#isClosed) return;
    this.#now = now;
    const { updateInterval, ratchetInterval } = this.#limits;
    if (this.#previousUntil !== undefined && now >= this.#previousUntil) {
      this.#receiver.forgetPrevious();
      this.#previousUntil = undefined;
    } else if (this.#receiver.hasPrevious) this.#previousUntil ??= now + PREVIOUS_EPOCH_LIFETIME;
    if (now >= this.#updatedAt + updateInterval) {
      this.#updatedAt = now;
      this.#ratchet.addCredit();
      if (this.#isInUse && this.#sender.step < MAX_EPOCH_NUMBER) this.#update();
      this.#isInUse = false;
    }
    if (now >= this.#ratchetedAt + ratchetInterval) {
      this.#ratchetedAt = now;
      if (this.#exchanged > 0) this.#wantsOffer = true;
    }
    if (this.#offered && now >= this.#offeredAt + this.#retry) {
      this.#retry = Math.min(2 * this.#retry, LAST_RETRY);
      this.#sendOffer(this.#offered);
    }
  }

  close(): Uint8Array[] {
    if (this.#isClosed) return [];
    try {
      return [this.#seal(RecordType.close, nothing)];
    } finally {
      this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sender.wipe();
    this.#receiver.wipe();
    this.#ratchet.wipe();
    if (this.#answered?.sendingSecret) this.#primitives.wipe(this.#answered.sendingSecret);
    this.#answered = undefined;
    this.#control.length = 0;
  }

  /** One exchange at a time, and none beyond the last generation. */
  get #mayOffer(): boolean {
    const isAnswering = this.#answered?.sendingSecret !== undefined;
    const isSettled = this.#receiver.generation === this.#sender.generation;
    return !this.#offered && !isAnswering && isSettled && this.#sender.generation < MAX_EPOCH_NUMBER;
  }

  #seal(type: RecordTypeNumber, content: Uint8Array): Uint8Array {
    const datagram = this.#sender.seal(type, content);
    this.#sentBytes += datagram.length;
    return datagram;
  }

  #update(): void {
    this.#sender.advance();
    this.#keyUpdates += 1;
  }

  #count(length: number): void {
    this.#isInUse = true;
    this.#exchanged += length;
    this.#sinceCredit += length;
    if (this.#exchanged >= this.#limits.ratchetBytes) this.#wantsOffer = true;
    if (this.#sinceCredit < CREDIT_BYTES) return;
    this.#sinceCredit = 0;
    this.#ratchet.addCredit();
  }

  /** The peer uses a newer epoch, authentically: our direction goes along (NZ-CHANNEL-01 §7.3). */
  #followPeer(): void {
    // The time of this moment is not known: the life of the previous epoch is counted from the next onTimeout.
    this.#previousUntil = undefined;
    const { generation, step } = this.#receiver;
    const secret = this.#answered?.sendingSecret;
    if (secret && generation === this.#sender.generation + 1) {
      this.#answered!.sendingSecret = undefined;
      this.#sender.startGeneration(secret);
    }
    while (generation === this.#sender.generation && this.#sender.step < step) this.#update();
  }

  #offer(): void {
    this.#wantsOffer = false;
    this.#offered = this.#ratchet.offer();
    this.#retry = FIRST_RETRY;
    this.#sendOffer(this.#offered);
  }

  #sendOffer(publicKey: Uint8Array): void {
    this.#offeredAt = this.#now;
    this.#control.push(this.#seal(RecordType.ratchetOffer, this.#withGeneration(publicKey)));
  }

  #withGeneration(publicKey: Uint8Array): Uint8Array {
    const content = new Uint8Array(GENERATION_BYTES + publicKey.length);
    content[0] = this.#sender.generation >>> 8;
    content[1] = this.#sender.generation;
    content.set(publicKey, GENERATION_BYTES);
    return content;
  }

  #receiveOffer(content: Uint8Array): void {
    const publicKey = content.subarray(GENERATION_BYTES);
    // Late or repeated offers of an older generation have been answered.
    if (readGeneration(content) !== this.#sender.generation) return;
    if (this.#answered?.sendingSecret) {
      const isRepeated = this.#primitives.equalBytes(publicKey, this.#answered.offer);
      if (!isRepeated) throw invalidRecord();
    } else if (!this.#answer(publicKey)) return;
    this.#control.push(this.#seal(RecordType.ratchetAnswer, this.#withGeneration(this.#answered!.answer)));
  }

  #answer(publicKey: Uint8Array): boolean {
    const answer = this.#ratchet.receiveOffer(publicKey);
    if (!answer) return false;
    this.#offered = undefined;
    this.#wantsOffer = false;
    this.#exchanged = 0;
    this.#receiver.expectGeneration(answer.secrets[this.#receives]);
    this.#answered = {
      offer: publicKey.slice(),
      answer: answer.publicKey,
      sendingSecret: answer.secrets[this.#sends],
    };
    return true;
  }

  #receiveAnswer(content: Uint8Array): void {
    if (!this.#offered || readGeneration(content) !== this.#sender.generation) return;
    const secrets = this.#ratchet.receiveAnswer(content.subarray(GENERATION_BYTES));
    this.#offered = undefined;
    this.#exchanged = 0;
    this.#receiver.expectGeneration(secrets[this.#receives]);
    this.#sender.startGeneration(secrets[this.#sends]);
    // Lets the peer go on as well when there is nothing else to send.
    this.#control.push(this.#seal(RecordType.ratchetCommit, nothing));
  }
}

function readGeneration(content: Uint8Array): number {
  if (content.length < GENERATION_BYTES) throw invalidRecord();
  return content[0]! * 256 + content[1]!;
}

/**
 * Starts the datagrams of NZ-CHANNEL-01 with the keys of a handshake.
 * @param basis - The handshake's result; its secrets give a datagram channel once.
 * @throws TypeError when that has happened; RangeError for limits that cannot be used.
 */
export function createDatagramChannel(basis: ChannelBasis, options: ChannelOptions): DatagramChannel {
  return new DatagramChannelMachine(basis, options);
}
