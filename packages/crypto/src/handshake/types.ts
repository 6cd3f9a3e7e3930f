import type { ChannelSecrets } from '../channel/secrets.ts';
import type { Role } from '../noise/patterns.ts';
import type { KeyPair, Primitives } from '../primitives.ts';
import type { StaticKeyCertificate } from './certificate.ts';
import type { HandshakePatternName } from './header.ts';
import type { RecordCipher } from './offer.ts';
import type { Resumption } from './resumption.ts';
import type { TicketCache } from './ticket-cache.ts';

/** Who this side is: an Ed25519 identity, its X25519 static key pair and the certificate that ties them together. */
export interface LocalIdentity {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** X25519; borrowed, never zeroed here. */
  readonly staticKeyPair: KeyPair;
  readonly certificate: StaticKeyCertificate;
}

/** Options of {@link createHandshake}. */
export interface HandshakeOptions {
  readonly role: Role;
  readonly identity: LocalIdentity;
  /** Ed25519, 32 bytes: anybody else fails with `IDENTITY_MISMATCH`. */
  readonly expectedIdentity?: Uint8Array;
  /** The responder's X25519 static key, if known: saves a round trip (IK); it falls back when the key has changed. */
  readonly remoteStaticKey?: Uint8Array;
  /** Pre-shared key of a private network, 32 bytes; both sides need the same, or neither. Copied. */
  readonly networkKey?: Uint8Array;
  /**
   * What was kept of earlier handshakes: an initiator that has a ticket of `expectedIdentity` resumes with it, a responder takes those
   * that it has given. It offers the feature `resume` besides. @defaultValue none: nothing is resumed
   */
  readonly tickets?: TicketCache;
  /** Versions of the protocol above the channel. @defaultValue 1 to 1 */
  readonly versions?: { readonly min: number; readonly max: number };
  /**
   * Names of optional behaviour; what both name is agreed on. At most 32, 31 with `tickets`, of 1 to 64 printable ASCII characters; `resume` is
   * not among them, for `tickets` offers it. @defaultValue none
   */
  readonly features?: readonly string[];
  /** Most wanted first. @defaultValue what is fastest on this runtime, then the others */
  readonly recordCiphers?: readonly RecordCipher[];
  /** Largest record payload to be received and sent, in bytes. @defaultValue 66560 */
  readonly maxRecordSize?: number;
  /** Initiator only, up to 8192 bytes: delivered with its identity. Read `isReplayable` of the result before you act on it. */
  readonly earlyData?: Uint8Array;
  /**
   * The messages travel as datagrams, where anybody can put one in: one that does not belong here is refused with its error and
   * leaves the handshake as it was, for the right one may follow (NZ-HANDSHAKE-01 §2.3). The owner bounds how many it tries.
   * @defaultValue false: the first message that fails ends the handshake
   */
  readonly isOverDatagrams?: boolean;
  /** @defaultValue the best backend of this runtime */
  readonly primitives?: Primitives;
}

/** The authenticated other side. */
export interface RemotePeer {
  /** Ed25519, 32 bytes. */
  readonly identity: Uint8Array;
  /** X25519, 32 bytes; remember it with its expiry to save a round trip next time. */
  readonly staticKey: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly staticKeyExpiresAt: number;
  /** Everything that it named, not only what is common. */
  readonly features: readonly string[];
}

/** What a successful handshake gives. */
export interface HandshakeResult {
  readonly role: Role;
  /** The pattern that was completed. */
  readonly pattern: HandshakePatternName;
  readonly remote: RemotePeer;
  readonly version: number;
  /** Named by both sides, in the initiator's order. */
  readonly features: readonly string[];
  readonly recordCipher: RecordCipher;
  readonly maxRecordSize: number;
  /** Channel binding: 64 bytes, the same on both sides and different for every handshake. */
  readonly handshakeHash: Uint8Array;
  /** On the responder's side, what the initiator sent along. */
  readonly earlyData?: Uint8Array;
  /**
   * True on the responder's side of IK and of a resumed handshake: until the first record opens, all that was received may be a
   * copy that somebody made of message 1 (of a resumed one, only the first copy comes this far). Do nothing for its sake that
   * must not be done twice, and do not let it replace a live connection.
   */
  readonly isReplayable: boolean;
  /** For `createStreamChannel` and `createDatagramChannel`, once each. */
  readonly secrets: ChannelSecrets;
  /** When both sides offer `resume`: call `keep`, or dispose of it. */
  readonly resumption?: Resumption;
}

/** What {@link Handshake.receive} asks for. */
export interface HandshakeStep {
  /** Send this to the peer. */
  readonly reply?: Uint8Array;
  /** The handshake is complete (once `reply`, if any, has been sent). */
  readonly result?: HandshakeResult;
}

/** One run of NZ-HANDSHAKE-01, without I/O and without a clock. */
export interface Handshake extends Disposable {
  /**
   * Makes the first message beforehand, for `start` to answer it: in IK that is most of what the initiator computes, and it can do so
   * while the network still connects. The handshake's time begins with `start`. Does nothing when it was done or has ended.
   * @param now - Milliseconds since the epoch.
   * @throws like `start`, but leaves the handshake as it was.
   */
  prepare(now: number): void;
  /**
   * Makes the first message; initiator only, once.
   * @param now - Milliseconds since the epoch.
   * @throws CryptoError `INVALID_KEY` when `remoteStaticKey` is of small order; the handshake is wiped then.
   */
  start(now: number): Uint8Array;
  /**
   * Takes one whole message of the peer; it is borrowed.
   * @throws HandshakeError; the handshake is wiped then, unless `isOverDatagrams` is set and a stranger could have made the message.
   */
  receive(message: Uint8Array, now: number): HandshakeStep;
  /** When the handshake must be given up; undefined before it started and after it ended. */
  readonly deadline: number | undefined;
}
