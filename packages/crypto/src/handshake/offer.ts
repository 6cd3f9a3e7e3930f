import { decodeCanonical, encodeCanonical } from '../msgpack.ts';
import type { StaticKeyCertificate } from './certificate.ts';
import { invalidMessage } from './errors.ts';

/** How records are protected (NZ-CHANNEL-01 §4). The mixed one takes ChaCha20-Poly1305 for small records only. */
export type RecordCipher = 'chacha20poly1305' | 'aes256gcm' | 'aes256gcm-chacha20poly1305';

/** What is negotiated (NZ-HANDSHAKE-01 §7): all that a resumed handshake has to say (§6.3). */
export interface Terms {
  readonly versions: { readonly min: number; readonly max: number };
  readonly features: readonly string[];
  /** Names, most wanted first; unknown ones are kept as text and never chosen. */
  readonly recordCiphers: readonly string[];
  readonly maxRecordSize: number;
  readonly earlyData: Uint8Array | undefined;
}

/** What one side says about itself in an encrypted payload (NZ-HANDSHAKE-01 §6). */
export interface Offer extends Terms {
  /** Ed25519, 32 bytes. */
  readonly identity: Uint8Array;
  readonly certificate: StaticKeyCertificate;
}

/** Longest early data in bytes (NZ-HANDSHAKE-01 §8). */
export const MAX_EARLY_DATA = 8_192;
/** Most features that one side may name. */
export const MAX_FEATURES = 32;
/** Smallest and largest record payload that may be agreed on (NZ-CHANNEL-01 §3). */
export const RECORD_SIZE_RANGE = { min: 4_096, max: 1_048_576 } as const;

const MAX_CIPHERS = 16;
/** Highest version of the protocol above the channel. */
export const MAX_VERSION = 65_535;
const OFFER_FIELDS = 9;
const TERMS_FIELDS = 6;
const MAX_FIELDS = 16;
const MAX_OFFER_LENGTH = 12_000;
const namePattern = /^[!-~]{1,64}$/;

/** Nine fields in a fixed order; later revisions may append more, which are ignored (NZ-HANDSHAKE-01 §6). */
export function encodeOffer(offer: Offer): Uint8Array {
  return encodeCanonical([
    offer.versions.min,
    offer.versions.max,
    offer.features,
    offer.recordCiphers,
    offer.maxRecordSize,
    offer.identity,
    offer.certificate.expiresAt,
    offer.certificate.signature,
    offer.earlyData ?? null,
  ]);
}

/** Six fields in a fixed order, for a peer that is known already (NZ-HANDSHAKE-01 §6.3). */
export function encodeTerms(terms: Terms): Uint8Array {
  return encodeCanonical([
    terms.versions.min,
    terms.versions.max,
    terms.features,
    terms.recordCiphers,
    terms.maxRecordSize,
    terms.earlyData ?? null,
  ]);
}

/**
 * Reads an offer.
 * @throws HandshakeError `INVALID_MESSAGE`, never anything else.
 */
export function decodeOffer(payload: Uint8Array): Offer {
  const fields = decodeFields(payload, OFFER_FIELDS);
  const [min, max, features, recordCiphers, maxRecordSize, identity, expiresAt, signature, earlyData] =
    fields;
  const isValid =
    isBytes(identity, 32, 32) &&
    isInteger(expiresAt, 0, Number.MAX_SAFE_INTEGER) &&
    isBytes(signature, 64, 64);
  if (!isValid) throw invalidMessage();
  return {
    ...readTerms([min, max, features, recordCiphers, maxRecordSize, earlyData]),
    identity: new Uint8Array(identity),
    certificate: { expiresAt, signature: new Uint8Array(signature) },
  };
}

/**
 * Reads terms.
 * @throws HandshakeError `INVALID_MESSAGE`, never anything else.
 */
export function decodeTerms(payload: Uint8Array): Terms {
  return readTerms(decodeFields(payload, TERMS_FIELDS));
}

function readTerms([min, max, features, recordCiphers, maxRecordSize, earlyData]: unknown[]): Terms {
  const isValid =
    isInteger(min, 1, MAX_VERSION) &&
    isInteger(max, min, MAX_VERSION) &&
    isNameList(features, MAX_FEATURES) &&
    isNameList(recordCiphers, MAX_CIPHERS) &&
    isInteger(maxRecordSize, RECORD_SIZE_RANGE.min, RECORD_SIZE_RANGE.max) &&
    (earlyData === null || isBytes(earlyData, 0, MAX_EARLY_DATA));
  if (!isValid) throw invalidMessage();
  return {
    versions: { min, max },
    features,
    recordCiphers,
    maxRecordSize,
    earlyData: earlyData ? new Uint8Array(earlyData) : undefined,
  };
}

function decodeFields(payload: Uint8Array, minFields: number): unknown[] {
  let fields: unknown;
  try {
    fields = decodeCanonical(payload, { maxDepth: 4, maxBytes: MAX_OFFER_LENGTH });
  } catch {
    throw invalidMessage();
  }
  if (!Array.isArray(fields) || fields.length < minFields || fields.length > MAX_FIELDS)
    throw invalidMessage();
  return fields;
}

/** Says whether this is a list of distinct names of printable ASCII. */
export function isNameList(value: unknown, maxLength: number): value is string[] {
  return (
    Array.isArray(value) &&
    value.length <= maxLength &&
    new Set(value).size === value.length &&
    value.every((name) => typeof name === 'string' && namePattern.test(name))
  );
}

function isInteger(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max;
}

function isBytes(value: unknown, min: number, max: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length >= min && value.length <= max;
}
