/** SLIP-39: the same words as shares that other wallets read, in words of their own (Node only). */
import { wipe } from '@nzcore/crypto';
import Slip39 from 'slip39';
import slip39Helper from 'slip39/src/slip39_helper.js';
import { IdentityError } from './errors.ts';
import { entropyToMnemonic, mnemonicToEntropy } from './mnemonic.ts';

// The standard allows 16 (SLIP-39, share format); more shares than this also cost more than they bring.
const MAX_SHARES = 16;
// 33 words of at most 8 letters for 32 bytes of entropy, and room for careless spacing.
const MAX_SHARE_CHARACTERS = 512;
// 10000 * 2^e rounds of PBKDF2 block the thread: exponent 0 takes some 10 ms, 5 a quarter of a second, 15 minutes.
const MAX_ITERATION_EXPONENT = 5;
const WORD_INDEX: ReadonlyMap<string, number> = new Map(slip39Helper.WORD_LIST.map((word, i) => [word, i]));

/** How words are split. */
export interface Slip39Options {
  /** How many shares bring the words back: 2 to 16. */
  readonly threshold: number;
  /** How many shares there are: the threshold to 16. */
  readonly shares: number;
  /**
   * SLIP-39's passphrase, printable ASCII. A wrong one is not found out: it gives other words.
   * @defaultValue none
   */
  readonly passphrase?: string;
}

/**
 * The entropy of BIP-39 words as SLIP-39 shares, one group, m of n.
 *
 * @throws IdentityError `INVALID_MNEMONIC`; RangeError for numbers out of range or a passphrase that is not ASCII
 */
export function exportSlip39(words: string, { threshold, shares, passphrase = '' }: Slip39Options): string[] {
  const inRange =
    Number.isInteger(threshold) && Number.isInteger(shares) && threshold >= 2 && shares <= MAX_SHARES;
  if (!inRange || threshold > shares) throw new RangeError('2 <= threshold <= shares <= 16');
  assertPassphrase(passphrase);
  const entropy = mnemonicToEntropy(words);
  try {
    const slip = Slip39.fromArray([...entropy], {
      passphrase,
      threshold: 1,
      groups: [[threshold, shares]],
      iterationExponent: 0,
    });
    return [...slip.fromPath('r/0').mnemonics];
  } finally {
    wipe(entropy);
  }
}

/**
 * The BIP-39 words of SLIP-39 shares. Give as many as are needed, not more.
 *
 * @throws IdentityError `INVALID_SHARE` when one of them is not a share, `WRONG_SHARES` when they do not belong
 * together or are too few or too many
 */
export function importSlip39(
  shares: readonly string[],
  { passphrase = '' }: { readonly passphrase?: string } = {},
): string {
  assertPassphrase(passphrase);
  if (shares.length === 0 || shares.length > MAX_SHARES) throw wrongShares();
  const entropy = recover(shares.map(normalise), passphrase);
  try {
    return entropyToMnemonic(entropy);
  } catch {
    // A secret of another length than BIP-39 has, from another kind of wallet.
    throw wrongShares();
  } finally {
    wipe(entropy);
  }
}

function normalise(share: string): string {
  if (share.length > MAX_SHARE_CHARACTERS) throw invalidShare();
  const words = share.trim().toLowerCase().split(/\s+/);
  const text = words.join(' ');
  // The first two words are 15 bits of identifier, 1 bit of flag and 4 bits of iteration exponent.
  const exponent = (WORD_INDEX.get(words[1] ?? '') ?? 0) & 0x0f;
  if (!words.every((word) => WORD_INDEX.has(word)) || !isShare(text) || exponent > MAX_ITERATION_EXPONENT) {
    throw invalidShare();
  }
  return text;
}

function isShare(text: string): boolean {
  try {
    return Slip39.validateMnemonic(text);
  } catch {
    return false;
  }
}

function recover(shares: readonly string[], passphrase: string): Uint8Array {
  try {
    return Uint8Array.from(Slip39.recoverSecret(shares, passphrase));
  } catch {
    throw wrongShares();
  }
}

function assertPassphrase(passphrase: string): void {
  if (!/^[\x20-\x7e]{0,256}$/.test(passphrase)) {
    throw new RangeError('the passphrase of SLIP-39 has at most 256 printable ASCII characters');
  }
}

function invalidShare(): IdentityError {
  return new IdentityError('INVALID_SHARE', 'not a SLIP-39 share, or mistyped');
}

function wrongShares(): IdentityError {
  return new IdentityError(
    'WRONG_SHARES',
    'these shares do not bring words back: too few, too many, or mixed sets',
  );
}
