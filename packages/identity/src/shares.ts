/**
 * Social recovery: words split into n shares of which m bring them back (spec/identity.md §9.4).
 *
 * ```text
 * share   version 0x01 (1) | set (4) | threshold (1) | Shamir share (n + 17) | checksum (4)
 * Shamir  of  entropy (n) | first 16 bytes of SHA-256("NZ-IDENTITY-01/share" 0x00 entropy);  last byte is x
 * text    'z' + base58btc of the share
 * ```
 *
 * The outer checksum finds a typing error in one share; the inner one finds shares that do not belong together, for
 * which plain Shamir returns a wrong secret in silence.
 */
import { equalBytes, randomBytes, sha256, wipe } from '@nzcore/crypto';
import { base58btc } from 'multiformats/bases/base58';
import { combine, split } from 'shamir-secret-sharing';
import { concatBytes } from './bytes.ts';
import { IdentityError } from './errors.ts';
import { entropyToMnemonic, mnemonicToEntropy } from './mnemonic.ts';

const VERSION = 0x01;
const SET_LENGTH = 4;
const HEADER_LENGTH = 1 + SET_LENGTH + 1;
const DIGEST_LENGTH = 16;
const CHECKSUM_LENGTH = 4;
const DIGEST_PREFIX = new TextEncoder().encode('NZ-IDENTITY-01/share\0');
const CHECKSUM_PREFIX = new TextEncoder().encode('NZ-IDENTITY-01/share-checksum\0');
const MAX_SHARES = 255;
const ENTROPY_LENGTHS = [16, 20, 24, 28, 32];
const SHARE_LENGTHS = ENTROPY_LENGTHS.map((n) => HEADER_LENGTH + n + DIGEST_LENGTH + 1 + CHECKSUM_LENGTH);
// 59 bytes are at most 81 digits of base 58; the bound comes before the decoder, which is quadratic.
const MAX_TEXT_LENGTH = 96;

/** How words are split. */
export interface SplitOptions {
  /** How many shares bring the words back: 2 to 255. */
  readonly threshold: number;
  /** How many shares there are, at least the threshold. */
  readonly shares: number;
}

/** What a share says about itself. */
export interface ShareInfo {
  /** The same for all shares of one splitting; 8 hexadecimal digits. */
  readonly set: string;
  /** How many shares of the set are needed. */
  readonly threshold: number;
}

/**
 * Splits words into shares. Fewer than the threshold say nothing about the words. A BIP-39 passphrase is not part of
 * them.
 *
 * @throws IdentityError `INVALID_MNEMONIC`; RangeError for numbers out of range
 */
export async function splitMnemonic(words: string, { threshold, shares }: SplitOptions): Promise<string[]> {
  const inRange =
    Number.isInteger(threshold) && Number.isInteger(shares) && threshold >= 2 && shares <= MAX_SHARES;
  if (!inRange || threshold > shares) throw new RangeError('2 <= threshold <= shares <= 255');
  const entropy = mnemonicToEntropy(words);
  const secret = concatBytes(entropy, digestOf(entropy));
  try {
    const header = Uint8Array.of(VERSION, ...randomBytes(SET_LENGTH), threshold);
    const parts = await split(secret, shares, threshold);
    return parts.map((part) => encodeShare(header, part));
  } finally {
    wipe(entropy, secret);
  }
}

/**
 * What a share says about itself, to show which others are still needed.
 *
 * @throws IdentityError `INVALID_SHARE`
 */
export function describeShare(text: string): ShareInfo {
  return infoOf(decodeShare(text));
}

/**
 * The words that were split. More shares than needed are all checked.
 *
 * @throws IdentityError `INVALID_SHARE` when one of them is not a share; `WRONG_SHARES` when they are too few, twice
 * the same, from different sets, or forged
 */
export async function joinShares(texts: readonly string[]): Promise<string> {
  if (texts.length > MAX_SHARES) throw wrongShares();
  const shares = texts.map(decodeShare);
  try {
    return wordsOf(await combineParts(partsOf(shares)));
  } finally {
    wipe(...shares);
  }
}

/** The Shamir shares of one set, all of them and enough. */
function partsOf(shares: readonly Uint8Array[]): Uint8Array[] {
  const [first] = shares;
  if (first === undefined) throw wrongShares();
  const { set, threshold } = infoOf(first);
  const belong = shares.every((share) => {
    const info = infoOf(share);
    return info.set === set && info.threshold === threshold && share.length === first.length;
  });
  if (!belong || shares.length < threshold) throw wrongShares();
  return shares.map((share) => share.slice(HEADER_LENGTH, -CHECKSUM_LENGTH));
}

async function combineParts(parts: readonly Uint8Array[]): Promise<Uint8Array> {
  try {
    return await combine([...parts]);
  } catch {
    // The same x twice.
    throw wrongShares();
  } finally {
    wipe(...parts);
  }
}

function wordsOf(secret: Uint8Array): string {
  const entropy = secret.subarray(0, -DIGEST_LENGTH);
  try {
    if (!equalBytes(digestOf(entropy), secret.subarray(-DIGEST_LENGTH))) throw wrongShares();
    return entropyToMnemonic(entropy);
  } finally {
    wipe(secret);
  }
}

function encodeShare(header: Uint8Array, part: Uint8Array): string {
  const body = concatBytes(header, part);
  const text = base58btc.encode(concatBytes(body, checksumOf(body)));
  wipe(body, part);
  return text;
}

function decodeShare(text: string): Uint8Array {
  const share = decodeText(text);
  const isShare =
    share !== undefined &&
    share[0] === VERSION &&
    SHARE_LENGTHS.includes(share.length) &&
    infoOf(share).threshold >= 2 &&
    share.at(-CHECKSUM_LENGTH - 1) !== 0 &&
    equalBytes(checksumOf(share.subarray(0, -CHECKSUM_LENGTH)), share.subarray(-CHECKSUM_LENGTH));
  if (!isShare) throw new IdentityError('INVALID_SHARE', 'not a recovery share, or mistyped');
  return share;
}

function decodeText(text: string): Uint8Array | undefined {
  try {
    const trimmed = text.length > 2 * MAX_TEXT_LENGTH ? '' : text.trim();
    return trimmed.length <= MAX_TEXT_LENGTH ? base58btc.decode(trimmed) : undefined;
  } catch {
    return undefined;
  }
}

function infoOf(share: Uint8Array): ShareInfo {
  const set = [...share.subarray(1, 1 + SET_LENGTH)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
  return { set, threshold: share[1 + SET_LENGTH] ?? 0 };
}

function digestOf(entropy: Uint8Array): Uint8Array {
  return sha256(concatBytes(DIGEST_PREFIX, entropy)).subarray(0, DIGEST_LENGTH);
}

function checksumOf(body: Uint8Array): Uint8Array {
  return sha256(concatBytes(CHECKSUM_PREFIX, body)).subarray(0, CHECKSUM_LENGTH);
}

function wrongShares(): IdentityError {
  return new IdentityError(
    'WRONG_SHARES',
    'these shares do not bring words back: too few, mixed sets, or forged',
  );
}
