/** The keystore: one file that holds a peer's seed, sealed under a passphrase (spec/identity.md §7). */
import type { Identity } from '../identity.ts';
import type { MnemonicLength } from '../mnemonic.ts';
import type { Passphrase, PasswordHash } from './password-hash.ts';
import type { Profiles } from './profiles.ts';

/** Every call that computes a password hash can be given up. */
export interface UnlockOptions {
  readonly signal?: AbortSignal | undefined;
}

/** How a passphrase is turned into a key. */
export interface PasswordOptions extends UnlockOptions {
  /** @defaultValue scrypt with N = 2^17, r = 8, p = 1 */
  readonly passwordHash?: PasswordHash;
}

/** What {@link createKeystore} puts into the file; without words or a seed it makes fresh words. */
export interface CreateKeystoreOptions extends PasswordOptions {
  readonly passphrase: Passphrase;
  /** Milliseconds since the epoch: when the first profile was created. */
  readonly now: number;
  /** Restore from these BIP-39 words. */
  readonly mnemonic?: string;
  /** The passphrase that belongs to the words (BIP-39), not to the file. */
  readonly mnemonicPassphrase?: string;
  /** A seed of 32 to 64 bytes instead of words; copied. */
  readonly seed?: Uint8Array;
  /**
   * Length of fresh words.
   * @defaultValue 24
   */
  readonly words?: MnemonicLength;
  /**
   * Name of the first profile.
   * @defaultValue 'default'
   */
  readonly profile?: string;
  /**
   * How often the first profile's keys had been rotated, to restore it from words.
   * @defaultValue 0
   */
  readonly generation?: number;
}

/** A keystore file, locked or unlocked. Disposing locks it. */
export interface Keystore extends Disposable {
  /** Where the file is. */
  readonly path: string;
  /** Whether the secrets are out of memory. */
  readonly isLocked: boolean;
  /** The identities in this keystore. */
  readonly profiles: Profiles;
  /**
   * Opens the file's secrets; takes 100 to 1000 ms by design.
   * @throws IdentityError `WRONG_PASSPHRASE`, `INVALID_KEYSTORE`, `KEYSTORE_LOCKED` when it was locked meanwhile
   */
  unlock(passphrase: Passphrase, options?: UnlockOptions): Promise<void>;
  /** Zeroes the secrets of the keystore. Identities that it gave out belong to their holders and stay usable. */
  lock(): void;
  /**
   * The identity of a profile; the caller disposes it.
   * @param profile - its name
   * @defaultValue the active profile
   * @throws IdentityError `KEYSTORE_LOCKED`, `UNKNOWN_PROFILE`
   */
  identity(profile?: string): Identity;
  /**
   * Wraps the data key under another passphrase. The sealed contents stay the same bytes.
   * @throws IdentityError `WRONG_PASSPHRASE`
   */
  changePassphrase(current: Passphrase, next: Passphrase, options?: PasswordOptions): Promise<void>;
  /**
   * The bytes of a keystore file under a passphrase of its own and a data key of its own, for another machine.
   * @throws IdentityError `KEYSTORE_LOCKED`
   */
  exportEncrypted(passphrase: Passphrase, options?: PasswordOptions): Promise<Uint8Array>;
  /**
   * The words. Asks for the passphrase even when unlocked, so that no open keystore gives them away by accident.
   * @throws IdentityError `WRONG_PASSPHRASE`, `NO_MNEMONIC` when it was made from a bare seed
   */
  revealMnemonic(passphrase: Passphrase, options?: UnlockOptions): Promise<string>;
}
