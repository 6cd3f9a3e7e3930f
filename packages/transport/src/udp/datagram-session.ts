import { createDatagramChannel, type DatagramChannel } from '@nzcore/crypto/channel';
import type { HandshakeResult } from '@nzcore/crypto/handshake';
import type { PeerId } from '@nzcore/identity';
import type { TimerWheel, WheelTimer } from '../time/timer-wheel.ts';
import { TokenBucket } from '../token-bucket.ts';
import { decodeExchange, type Exchange, encodeData, encodeExchange } from './datagram-packet.ts';
import { RequestLog } from './request-log.ts';

/** The last message of a handshake, as it was sent, and the message that it answers. */
export interface Finish {
  readonly packet: Uint8Array;
  readonly answer: Uint8Array;
}

export interface SessionOptions {
  readonly result: HandshakeResult;
  readonly peer: PeerId;
  readonly localName: string;
  readonly remoteName: string;
  /** Multiaddr text; packets from elsewhere are not the session's. */
  readonly address: string;
  /** Bytes that came from there before the session existed. */
  readonly received: number;
  /** Bytes that were sent there before the session existed. */
  readonly sent: number;
  /** The peer has shown that it receives at this address. */
  readonly isProven: boolean;
  readonly wheel: TimerWheel;
  /** Requests a second that the peer may make, after a burst of twice as many. */
  readonly requestRate: number;
  readonly send: (packet: Uint8Array) => void;
  readonly onIdle: () => void;
}

/** A session that nobody used for this long is forgotten: several times what a NAT remembers. */
const IDLE_TIMEOUT = 10 * 60_000;

/** Keys shared with one peer at one address. */
export class DatagramSession {
  readonly peer: PeerId;
  readonly localName: string;
  readonly address: string;
  /** Requests of the peer that were answered or are being answered. */
  readonly log: RequestLog = new RequestLog();
  /** Sent again before each repeated request until the peer answers: it may have been lost. */
  finish: Finish | undefined;
  readonly #remoteName: string;
  readonly #channel: DatagramChannel;
  readonly #options: SessionOptions;
  readonly #bucket: TokenBucket;
  readonly #target: { onTimeout: (now: number) => void };
  #idleTimer: WheelTimer | undefined;
  #usedAt: number;
  #received: number;
  #sent: number;
  #isProven: boolean;
  #nextNumber = 1;
  #isClosed = false;

  constructor(options: SessionOptions) {
    const { wheel, result, requestRate } = options;
    this.#options = options;
    this.peer = options.peer;
    this.localName = options.localName;
    this.address = options.address;
    this.#remoteName = options.remoteName;
    this.#received = options.received;
    this.#sent = options.sent;
    this.#isProven = options.isProven;
    this.#bucket = new TokenBucket(2 * requestRate, requestRate);
    this.#channel = createDatagramChannel(result, { now: wheel.now() });
    // What was not taken: no stream will run under this handshake.
    result.secrets[Symbol.dispose]();
    this.#usedAt = wheel.now();
    this.#target = { onTimeout: (now) => this.#onTimeout(now) };
    this.#idleTimer = wheel.schedule(IDLE_TIMEOUT, () => this.#checkIdle());
    this.#schedule();
  }

  /** The peer has shown that it receives at the address. */
  get isProven(): boolean {
    return this.#isProven;
  }

  nextNumber(): number {
    return this.#nextNumber++;
  }

  /** The peer's packet was opened: false means that it has asked too often. */
  takeToken(): boolean {
    return this.#bucket.take(() => this.#options.wheel.now());
  }

  /** @returns what the packet holds; undefined when it was for the channel only */
  open(datagram: Uint8Array): Exchange | 'not-authentic' | undefined {
    let plaintext: Uint8Array | undefined;
    try {
      plaintext = this.#channel.open(datagram);
    } catch {
      // ChannelError: the packet is dropped, the channel is as it was (NZ-CHANNEL-01 §7).
      return 'not-authentic';
    }
    this.#received += datagram.length;
    this.#usedAt = this.#options.wheel.now();
    this.#isProven = true;
    this.finish = undefined;
    this.#flushControl();
    if (this.#channel.isRemoteClosed) {
      this.#options.onIdle();
      return undefined;
    }
    return plaintext === undefined ? undefined : decodeExchange(plaintext);
  }

  send(exchange: Exchange): void {
    if (this.#isClosed) return;
    this.#usedAt = this.#options.wheel.now();
    this.sendPacket(encodeData(this.#remoteName, this.#channel.seal(encodeExchange(exchange))));
    this.#flushControl();
  }

  /** Until the address is proven at most three times what came from it is sent there (RFC 9000 §8.1). */
  sendPacket(packet: Uint8Array): void {
    if (!this.#isProven && this.#sent + packet.length > 3 * this.#received) return;
    this.#sent += packet.length;
    this.#options.send(packet);
  }

  /** Bytes that came from the address, beside those of `open`. */
  countReceived(length: number): void {
    this.#received += length;
  }

  /** Idempotent. Tells the peer, if it is known to be there. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.wheel.set(this.#target, undefined);
    this.#idleTimer?.cancel();
    const goodbyes = this.#channel.close();
    if (!this.#isProven) return;
    for (const goodbye of goodbyes) this.#options.send(encodeData(this.#remoteName, goodbye));
  }

  #onTimeout(now: number): void {
    this.#channel.onTimeout(now);
    this.#flushControl();
    this.#schedule();
  }

  #checkIdle(): void {
    const idle = this.#options.wheel.now() - this.#usedAt;
    if (idle >= IDLE_TIMEOUT) this.#options.onIdle();
    else this.#idleTimer = this.#options.wheel.schedule(IDLE_TIMEOUT - idle, () => this.#checkIdle());
  }

  #flushControl(): void {
    for (const control of this.#channel.takeControl() ?? []) {
      this.sendPacket(encodeData(this.#remoteName, control));
    }
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#isClosed) this.#options.wheel.set(this.#target, this.#channel.nextTimeout);
  }
}

/** 1200 bytes less 9 of the packet, 29 of the channel and 5 of the exchange, with room for the channel's future. */
export const MAX_CONTENT = 1_150;
