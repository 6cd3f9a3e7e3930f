import { primitives as defaultPrimitives } from '../default-primitives.ts';
import type { Primitives } from '../primitives.ts';
import { DhRatchet } from './dh-ratchet.ts';
import { ChannelError, channelClosed, invalidRecord } from './errors.ts';
import { type Direction, deriveTrafficSecrets, EPOCH_LENGTH, SECRET_LENGTH } from './key-schedule.ts';
import { type ChannelLimits, resolveLimits } from './limits.ts';
import { ReceivingSide, type RecordHandler } from './receiving-side.ts';
import { LENGTH_BYTES, RecordType, type RecordTypeNumber, SEAL_OVERHEAD, TYPE_BYTES } from './record.ts';
import { SendingSide } from './sending-side.ts';
import type { ChannelBasis, ChannelCounters, ChannelOptions, ChannelSink, StreamChannel } from './types.ts';

// What a peer may make us compute (NZ-CHANNEL-01 §6.5): one key agreement for each MiB exchanged, beside a few.
const CREDIT_BYTES = 2 ** 20;
const nothing = new Uint8Array(0);
const UPDATE = Uint8Array.of(0);
const UPDATE_AND_ANSWER = Uint8Array.of(1);

/** An answer or commit that has not been written yet, with the secret that our direction changes to behind it. */
interface PendingStep {
  readonly type: RecordTypeNumber;
  readonly content: Uint8Array;
  readonly sendingSecret: Uint8Array;
}

class StreamChannelMachine implements StreamChannel, RecordHandler {
  readonly maxPlaintext: number;
  readonly #primitives: Primitives;
  readonly #limits: ChannelLimits;
  readonly #sends: Direction;
  readonly #receives: Direction;
  readonly #sending: SendingSide;
  readonly #receiving: ReceivingSide;
  readonly #ratchet: DhRatchet;
  #sink: ChannelSink | undefined;
  #step: PendingStep | undefined;
  /** The peer's secret behind its commit, which has not come yet. */
  #awaitedSecret: Uint8Array | undefined;
  #wantsOffer = false;
  #update: 'none' | 'due' | 'answer' = 'none';
  #isClosed = false;
  #isDead = false;
  isRemoteClosed = false;
  #updatedAt: number;
  #ratchetedAt: number;
  #isInUse = false;
  /** Content bytes in both directions since the last Diffie-Hellman step, and since the last credit. */
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
    this.maxPlaintext = maxRecordSize;
    this.#sends = role;
    this.#receives = role === 'initiator' ? 'responder' : 'initiator';
    const root = secrets.take('stream');
    const traffic = deriveTrafficSecrets(root, primitives);
    const { hardRecords } = this.#limits;
    const side = { primitives, recordCipher, hardRecords, maxContent: maxRecordSize };
    const memory = new Uint8Array(2 * EPOCH_LENGTH + SECRET_LENGTH);
    this.#sending = new SendingSide(traffic[this.#sends], side, { memory, at: 0 });
    this.#receiving = new ReceivingSide(traffic[this.#receives], side, { memory, at: EPOCH_LENGTH });
    const kept = memory.subarray(2 * EPOCH_LENGTH);
    kept.set(root);
    primitives.wipe(root);
    this.#ratchet = new DhRatchet(kept, role, primitives);
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
    if (this.#isClosed || this.#isDead) return undefined;
    const { updateInterval, ratchetInterval } = this.#limits;
    return Math.min(this.#updatedAt + updateInterval, this.#ratchetedAt + ratchetInterval);
  }

  seal(parts: readonly Uint8Array[]): Uint8Array[] {
    if (this.#isClosed || this.#isDead) throw channelClosed();
    let length = 0;
    for (let i = 0; i < parts.length; i++) {
      // Behind this point a failure would leave the peer waiting for a record that never comes.
      if (!(parts[i] instanceof Uint8Array)) throw new TypeError('a part is a Uint8Array');
      length += parts[i]!.length;
    }
    if (length > this.maxPlaintext) throw new RangeError(`a record holds at most ${this.maxPlaintext} bytes`);
    const { updateRecords, updateBytes } = this.#limits;
    if (this.#sending.records >= updateRecords || this.#sending.bytes >= updateBytes) this.#update = 'due';
    const control = this.takeControl();
    const chunks = this.#seal(RecordType.data, parts, length);
    this.#sentRecords += 1;
    this.#count(length);
    return control ? [...control, ...chunks] : chunks;
  }

  receive(chunk: Uint8Array, sink: ChannelSink): void {
    if (this.#isDead) throw channelClosed();
    if (this.#sink) throw new TypeError('receive must not be called from within the sink');
    this.#receivedBytes += chunk.length;
    this.#sink = sink;
    try {
      // Nothing may follow the close: it would not be covered by it (NZ-CHANNEL-01 §5.4).
      const isConsumed = chunk.length === 0 || (!this.isRemoteClosed && this.#receiving.receive(chunk, this));
      if (!isConsumed && !this.#isDead) throw invalidRecord();
    } catch (cause) {
      this[Symbol.dispose]();
      throw cause;
    } finally {
      this.#sink = undefined;
    }
    if (this.isRemoteClosed && this.#isClosed) this[Symbol.dispose]();
  }

  receiveEnd(): void {
    if (this.isRemoteClosed) return;
    const isDead = this.#isDead;
    this[Symbol.dispose]();
    if (!isDead) throw new ChannelError('TRUNCATED', 'the stream ended without the peer’s close');
  }

  /** For {@link ReceivingSide}: one authenticated plaintext. */
  get isSharing(): boolean {
    return this.#sink?.isSharing === true;
  }

  handleRecord(plaintext: Uint8Array): boolean {
    const type = plaintext[0];
    const content = plaintext.subarray(TYPE_BYTES);
    if (type === RecordType.data) this.#receiveData(content);
    else if (type === RecordType.keyUpdate) this.#receiveUpdate(content);
    else if (type === RecordType.ratchetOffer) this.#receiveOffer(content);
    else if (type === RecordType.ratchetAnswer) this.#receiveAnswer(content);
    else if (type === RecordType.ratchetCommit) this.#receiveCommit(content);
    else if (type === RecordType.close) this.#receiveClose(content);
    else throw invalidRecord();
    return !this.#isDead && !this.isRemoteClosed;
  }

  takeControl(): Uint8Array[] | undefined {
    const wantsOffer = this.#wantsOffer && this.#mayOffer;
    if (!this.#step && this.#update === 'none' && !wantsOffer) return undefined;
    if (this.#isClosed || this.#isDead) return undefined;
    const chunks: Uint8Array[] = [];
    if (this.#step) {
      const { type, content, sendingSecret } = this.#step;
      this.#step = undefined;
      // A new root renews the key as well: an update that is due has happened then.
      this.#update = 'none';
      chunks.push(...this.#seal(type, [content], content.length));
      this.#sending.install(sendingSecret);
    }
    if (this.#update !== 'none') {
      const content = this.#update === 'due' ? UPDATE_AND_ANSWER : UPDATE;
      this.#update = 'none';
      chunks.push(...this.#seal(RecordType.keyUpdate, [content], content.length));
      this.#sending.step();
      this.#keyUpdates += 1;
    }
    if (wantsOffer) {
      this.#wantsOffer = false;
      const publicKey = this.#ratchet.offer();
      chunks.push(...this.#seal(RecordType.ratchetOffer, [publicKey], publicKey.length));
    }
    return chunks;
  }

  onTimeout(now: number): void {
    if (this.#isClosed || this.#isDead) return;
    const { updateInterval, ratchetInterval } = this.#limits;
    if (now >= this.#updatedAt + updateInterval) {
      this.#updatedAt = now;
      this.#ratchet.addCredit();
      if (this.#isInUse) this.#update = 'due';
      this.#isInUse = false;
    }
    if (now >= this.#ratchetedAt + ratchetInterval) {
      this.#ratchetedAt = now;
      if (this.#exchanged > 0) this.#wantsOffer = true;
    }
  }

  close(): Uint8Array[] {
    if (this.#isClosed || this.#isDead) return [];
    try {
      return this.#seal(RecordType.close, [nothing], 0);
    } finally {
      this.#isClosed = true;
      this.#sending.wipe();
      if (this.isRemoteClosed) this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#sending.wipe();
    this.#receiving.wipe();
    this.#ratchet.wipe();
    for (const secret of [this.#awaitedSecret, this.#step?.sendingSecret]) {
      if (secret) this.#primitives.wipe(secret);
    }
    this.#awaitedSecret = undefined;
    this.#step = undefined;
  }

  /** One exchange at a time: the peer's commit, or ours, ends it (NZ-CHANNEL-01 §6.3). */
  get #mayOffer(): boolean {
    return !this.#ratchet.isOffering && !this.#awaitedSecret && !this.#step && !this.isRemoteClosed;
  }

  #seal(type: RecordTypeNumber, parts: readonly Uint8Array[], length: number): Uint8Array[] {
    this.#sentBytes += length + LENGTH_BYTES + SEAL_OVERHEAD;
    return this.#sending.seal(type, parts, length);
  }

  /** Only content counts: two idle peers must not keep each other awake with ratchets. */
  #count(length: number): void {
    this.#isInUse = true;
    this.#exchanged += length;
    this.#sinceCredit += length;
    if (this.#exchanged >= this.#limits.ratchetBytes) this.#wantsOffer = true;
    if (this.#sinceCredit < CREDIT_BYTES) return;
    this.#sinceCredit = 0;
    this.#ratchet.addCredit();
  }

  #receiveData(content: Uint8Array): void {
    this.#receivedRecords += 1;
    if (content.length === 0) return;
    this.#count(content.length);
    this.#sink!.onData(content);
  }

  #receiveUpdate(content: Uint8Array): void {
    if (content.length !== 1 || content[0]! > 1) throw invalidRecord();
    this.#receiving.step();
    if (content[0] === 1 && this.#update === 'none') this.#update = 'answer';
  }

  #receiveOffer(remoteKey: Uint8Array): void {
    if (this.#awaitedSecret || this.#step) throw invalidRecord();
    // After our close nothing can be answered, and nothing needs to be.
    if (this.#isClosed) return;
    const answer = this.#ratchet.receiveOffer(remoteKey);
    if (!answer) return;
    this.#awaitedSecret = answer.secrets[this.#receives];
    this.#beginStep(RecordType.ratchetAnswer, answer.publicKey, answer.secrets[this.#sends]);
  }

  #receiveAnswer(remoteKey: Uint8Array): void {
    const secrets = this.#ratchet.receiveAnswer(remoteKey);
    this.#receiving.install(secrets[this.#receives]);
    if (this.#isClosed) this.#primitives.wipe(secrets[this.#sends]);
    else this.#beginStep(RecordType.ratchetCommit, nothing, secrets[this.#sends]);
  }

  #beginStep(type: RecordTypeNumber, content: Uint8Array, sendingSecret: Uint8Array): void {
    this.#step = { type, content, sendingSecret };
    this.#exchanged = 0;
    this.#wantsOffer = false;
  }

  #receiveCommit(content: Uint8Array): void {
    if (!this.#awaitedSecret || content.length > 0) throw invalidRecord();
    this.#receiving.install(this.#awaitedSecret);
    this.#awaitedSecret = undefined;
  }

  #receiveClose(content: Uint8Array): void {
    if (content.length > 0) throw invalidRecord();
    this.isRemoteClosed = true;
    this.#sink!.onClose();
  }
}

/**
 * Starts the stream records of NZ-CHANNEL-01 with the keys of a handshake.
 * @param basis - The handshake's result; its secrets give a stream channel once.
 * @throws TypeError when that has happened; RangeError for limits that cannot be used.
 */
export function createStreamChannel(basis: ChannelBasis, options: ChannelOptions): StreamChannel {
  return new StreamChannelMachine(basis, options);
}
