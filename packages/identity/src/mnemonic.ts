/** The words of a peer: BIP-39, English, 12 to 24 words with a checksum and an optional passphrase. */
import { randomBytes, wipe } from '@nzcore/crypto';
import {
  mnemonicToEntropy as decodeEntropy,
  entropyToMnemonic as encodeEntropy,
  mnemonicToSeed,
  mnemonicToSeedWebcrypto,
} from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { IdentityError } from './errors.ts';
import { type Identity, type IdentityOptions, identityFromSeed } from './identity.ts';

/** How many words: 128, 160, 192, 224 or 256 bits of entropy. */
export type MnemonicLength = 12 | 15 | 18 | 21 | 24;

const BITS_PER_3_WORDS = 32;
// The longest English word has 8 letters; the bound is on what is normalised, before it is split.
const MAX_MNEMONIC_CHARACTERS = 24 * 9 + 64;

/** Fresh words. A string cannot be wiped: show it once and let it go. */
export function createMnemonic({ words = 24 }: { readonly words?: MnemonicLength } = {}): string {
  if (![12, 15, 18, 21, 24].includes(words)) {
    throw new RangeError('a mnemonic has 12, 15, 18, 21 or 24 words');
  }
  const entropy = randomBytes(((words / 3) * BITS_PER_3_WORDS) / 8);
  try {
    return encodeEntropy(entropy, wordlist);
  } finally {
    wipe(entropy);
  }
}

/**
 * Reads words as a person types them: any case, any white space. Returns them in their only form, lower case with
 * one space between.
 *
 * @throws IdentityError `INVALID_MNEMONIC` for a wrong count, an unknown word or a wrong checksum
 */
export function parseMnemonic(text: string): string {
  const words = normalise(text);
  wipe(entropyOf(words));
  return words;
}

/**
 * The entropy of the words, 16 to 32 bytes; the caller owns and wipes it.
 *
 * @throws IdentityError `INVALID_MNEMONIC`
 */
export function mnemonicToEntropy(text: string): Uint8Array {
  return entropyOf(normalise(text));
}

/**
 * The words of an entropy of 16, 20, 24, 28 or 32 bytes.
 *
 * @throws RangeError for any other length
 */
export function entropyToMnemonic(entropy: Uint8Array): string {
  if (![16, 20, 24, 28, 32].includes(entropy.length)) {
    throw new RangeError('the entropy of a mnemonic has 16, 20, 24, 28 or 32 bytes');
  }
  return encodeEntropy(entropy, wordlist);
}

/**
 * The seed of the words: 64 bytes by PBKDF2-HMAC-SHA512 with 2048 iterations, as BIP-39 says. The caller owns and
 * wipes it.
 *
 * @throws IdentityError `INVALID_MNEMONIC`
 */
export async function seedFromMnemonic(
  text: string,
  { passphrase = '' }: { readonly passphrase?: string } = {},
): Promise<Uint8Array> {
  const words = parseMnemonic(text);
  // A page without a secure context has no WebCrypto; the portable code gives the same bytes more slowly.
  const derive = globalThis.crypto?.subtle === undefined ? mnemonicToSeed : mnemonicToSeedWebcrypto;
  return derive(words, passphrase);
}

/**
 * The identity of the words: the same words and passphrase always give the same peer.
 *
 * @throws IdentityError `INVALID_MNEMONIC`
 */
export async function identityFromMnemonic(
  text: string,
  { passphrase = '', ...options }: IdentityOptions & { readonly passphrase?: string } = {},
): Promise<Identity> {
  const seed = await seedFromMnemonic(text, { passphrase });
  try {
    return identityFromSeed(seed, options);
  } finally {
    wipe(seed);
  }
}

function normalise(text: string): string {
  if (typeof text !== 'string' || text.length > MAX_MNEMONIC_CHARACTERS) throw invalidMnemonic();
  return text.normalize('NFKD').trim().toLowerCase().split(/\s+/).join(' ');
}

function entropyOf(words: string): Uint8Array {
  try {
    return decodeEntropy(words, wordlist);
  } catch {
    // The cause is left out: it may name a word.
    throw invalidMnemonic();
  }
}

function invalidMnemonic(): IdentityError {
  return new IdentityError(
    'INVALID_MNEMONIC',
    'the words are not a valid mnemonic (count, spelling or checksum)',
  );
}
