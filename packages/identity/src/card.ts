/**
 * Contact card: what one person hands another so that their peers can find and recognise each other
 * (spec/identity.md §10).
 *
 * ```text
 * payload  [1, Ed25519 (32), X25519 static key (32), name, [address, ...], issued at, expires at, commitment (32) | nil]
 * card     payload | signature (64)                    fewer than 400 bytes
 * text     'u' + base64url without padding             of the card
 * URI      'nzcore:card:' + text
 * ```
 */
import { base64url } from 'multiformats/bases/base64';
import { isDisplayName } from './display-name.ts';
import { IdentityError } from './errors.ts';
import { assertClockSkew, assertTime, DEFAULT_CLOCK_SKEW_MS, isBytes32, isTime } from './fields.ts';
import type { Identity } from './identity.ts';
import { type PeerId, peerIdFromPublicKey } from './peer-id.ts';
import { decodeSigned, encodeSigned } from './signed.ts';

/** The longest card in bytes: its URI still fits a QR code that a telephone reads from a screen. */
export const MAX_CARD_LENGTH = 399;

const DOMAIN = 'NZ-IDENTITY-01/card';
const VERSION = 1;
const URI_PREFIX = 'nzcore:card:';
const MAX_TEXT_LENGTH = URI_PREFIX.length + 1 + Math.ceil((MAX_CARD_LENGTH * 4) / 3);
const MAX_NAME_BYTES = 64;
const MAX_ADDRESSES = 4;
const MAX_ADDRESS_LENGTH = 100;
const DAY_MS = 24 * 60 * 60 * 1000;
// Addresses grow old; who wants to be found for longer hands out a new card.
const MAX_LIFETIME_MS = 400 * DAY_MS;
// Multiaddr text is printable ASCII without spaces.
const ADDRESS_PATTERN = /^\/[!-~]{1,99}$/;

/** A verified card. */
export interface ContactCard {
  readonly peerId: PeerId;
  /** X25519 static key for a handshake without a round trip, 32 bytes. */
  readonly staticKey: Uint8Array;
  /** As its owner chose it: it proves nothing about who that is. */
  readonly name: string;
  /** Multiaddr text without `/p2p/…`. */
  readonly addresses: readonly string[];
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Which recovery key may name a successor of this peer; see `recoveryCommitmentOf`. */
  readonly recoveryCommitment?: Uint8Array;
}

/** What a card says besides the keys. */
export interface CreateCardOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** At most 64 bytes of UTF-8, without characters that cannot be seen or that turn text around. */
  readonly name?: string;
  /** At most 4, of at most 100 characters. */
  readonly addresses?: readonly string[];
  /**
   * How long it is valid, at most 400 days.
   * @defaultValue 90 days
   */
  readonly lifetimeMs?: number;
  /** 32 bytes; see `recoveryCommitmentOf`. */
  readonly recoveryCommitment?: Uint8Array;
}

/**
 * The signed card of an identity.
 *
 * @throws RangeError when a field is malformed or all of them together make it longer than 399 bytes
 */
export function createCard(identity: Identity, options: CreateCardOptions): Uint8Array {
  const { now, name = '', addresses = [], lifetimeMs = 90 * DAY_MS, recoveryCommitment } = options;
  assertTime('now', now);
  const { publicKey, keyAgreementPublicKey } = identity;
  const commitment = recoveryCommitment ?? null;
  const fields = [
    VERSION,
    publicKey,
    keyAgreementPublicKey,
    name,
    addresses,
    now,
    now + lifetimeMs,
    commitment,
  ];
  if (!areCardFields(fields)) throw new RangeError('a field of the card is malformed or too long');
  const card = encodeSigned(DOMAIN, fields, identity);
  if (card.length > MAX_CARD_LENGTH) throw new RangeError(`a card has at most ${MAX_CARD_LENGTH} bytes`);
  return card;
}

/** When a card is read. */
export interface OpenCardOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /**
   * How far clocks may differ.
   * @defaultValue 60 seconds
   */
  readonly clockSkewMs?: number;
}

/**
 * Verifies a card as bytes, text or URI.
 *
 * @throws IdentityError `INVALID_CARD`, `CARD_EXPIRED`, `CARD_NOT_YET_VALID`
 */
export function openCard(card: Uint8Array | string, options: OpenCardOptions): ContactCard {
  const { now, clockSkewMs = DEFAULT_CLOCK_SKEW_MS } = options;
  assertTime('now', now);
  assertClockSkew(clockSkewMs);
  const opened = decodeCard(typeof card === 'string' ? cardFromText(card) : card);
  if (now > opened.expiresAt + clockSkewMs) throw new IdentityError('CARD_EXPIRED', 'the card has expired');
  if (now < opened.issuedAt - clockSkewMs) {
    throw new IdentityError('CARD_NOT_YET_VALID', 'the card was issued in the future: check the clock');
  }
  return opened;
}

/** The text of a card, for a chat or a web page. */
export function cardToText(card: Uint8Array): string {
  return base64url.encode(card);
}

/** The URI of a card, for a link or a QR code. */
export function cardToUri(card: Uint8Array): string {
  return URI_PREFIX + cardToText(card);
}

/**
 * The bytes of a card from its text or URI; white space around it is ignored.
 *
 * @throws IdentityError `INVALID_CARD`
 */
export function cardFromText(text: string): Uint8Array {
  const trimmed = text.length > 2 * MAX_TEXT_LENGTH ? '' : text.trim();
  const body = trimmed.toLowerCase().startsWith(URI_PREFIX) ? trimmed.slice(URI_PREFIX.length) : trimmed;
  try {
    const card = base64url.decode(body);
    if (base64url.encode(card) === body) return card;
  } catch {
    // Refused below, like text that another encoder would have written otherwise.
  }
  throw invalidCard();
}

function decodeCard(bytes: Uint8Array): ContactCard {
  const signed = decodeSigned(DOMAIN, bytes, {
    maxBytes: MAX_CARD_LENGTH,
    maxDepth: 2,
    signers: (fields) => (areCardFields(fields) ? [fields[1]] : undefined),
  });
  if (signed === undefined || !areCardFields(signed.fields)) throw invalidCard();
  const [, publicKey, staticKey, name, addresses, issuedAt, expiresAt, commitment] = signed.fields;
  return {
    peerId: peerIdFromPublicKey(publicKey),
    staticKey,
    name,
    addresses,
    issuedAt,
    expiresAt,
    ...(commitment === null ? {} : { recoveryCommitment: commitment }),
  };
}

type CardFields = [number, Uint8Array, Uint8Array, string, string[], number, number, Uint8Array | null];

function areCardFields(fields: readonly unknown[]): fields is CardFields {
  const [version, publicKey, staticKey, name, addresses, issuedAt, expiresAt, commitment] = fields;
  return (
    fields.length === 8 &&
    version === VERSION &&
    isBytes32(publicKey) &&
    isBytes32(staticKey) &&
    isName(name) &&
    areAddresses(addresses) &&
    isTime(issuedAt) &&
    isTime(expiresAt) &&
    expiresAt > issuedAt &&
    expiresAt - issuedAt <= MAX_LIFETIME_MS &&
    (commitment === null || isBytes32(commitment))
  );
}

function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    new TextEncoder().encode(value).length <= MAX_NAME_BYTES &&
    isDisplayName(value)
  );
}

function areAddresses(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_ADDRESSES &&
    value.every(
      (item) =>
        typeof item === 'string' &&
        item.length <= MAX_ADDRESS_LENGTH &&
        ADDRESS_PATTERN.test(item) &&
        // The card says who answers there; an address could name somebody else.
        !`${item}/`.includes('/p2p/'),
    )
  );
}

function invalidCard(): IdentityError {
  return new IdentityError('INVALID_CARD', 'not a valid contact card, or its signature is wrong');
}
