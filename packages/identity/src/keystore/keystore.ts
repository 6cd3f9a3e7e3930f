/** The keystore: one file that holds a peer's seed, sealed under a passphrase (spec/identity.md §7). */
import { SecretBytes, wipe } from '@nzcore/crypto';
import { copyBytes } from '../bytes.ts';
import { IdentityError } from '../errors.ts';
import { assertTime } from '../fields.ts';
import type { Identity } from '../identity.ts';
import { assertGeneration, identityFromSeed } from '../identity.ts';
import { deriveProfileSeed, MAX_SEED_LENGTH, MIN_SEED_LENGTH } from '../key-schedule.ts';
import {
  createMnemonic,
  entropyToMnemonic,
  type MnemonicLength,
  mnemonicToEntropy,
  seedFromMnemonic,
} from '../mnemonic.ts';
import { readSmallFile, realPath, writeFileAtomically } from './atomic-file.ts';
import { disposeContents, type KeystoreContents, type ProfileEntry } from './contents.ts';
import {
  decodeKeystoreFile,
  encodeKeystoreFile,
  invalidKeystore,
  type KeystoreFile,
  MAX_KEYSTORE_LENGTH,
} from './file-format.ts';
import { withFileLock } from './file-lock.ts';
import {
  DEFAULT_PASSWORD_HASH,
  type Passphrase,
  type PasswordHash,
  passwordHashIsAcceptable,
  withPassphrase,
} from './password-hash.ts';
import { assertProfileName, createProfiles, type Profiles } from './profiles.ts';
import { createDataKey, openContents, sealContents, unwrapDataKey, wrapDataKey } from './sealing.ts';

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

/**
 * Creates a keystore file (mode 0600) with one profile and leaves it unlocked.
 *
 * @throws IdentityError `KEYSTORE_EXISTS`: an existing file is never replaced; `INVALID_MNEMONIC`
 */
export async function createKeystore(path: string, options: CreateKeystoreOptions): Promise<Keystore> {
  return withPassphrase(options.passphrase, (passphrase) => createFile(path, { ...options, passphrase }));
}

async function createFile(path: string, options: CreateKeystoreOptions): Promise<Keystore> {
  const {
    passphrase,
    passwordHash = DEFAULT_PASSWORD_HASH,
    signal,
    now,
    profile = 'default',
    generation = 0,
  } = options;
  assertPasswordHash(passwordHash);
  assertProfileName(profile);
  assertGeneration(generation);
  assertTime('now', now);
  const contents = await initialContents(options, { index: 0, name: profile, generation, createdAt: now });
  const dataKey = createDataKey();
  try {
    const wrapped = await wrapDataKey(dataKey, { passphrase, passwordHash, signal });
    const file = { ...wrapped, ...sealContents(dataKey, contents) };
    const bytes = encodeKeystoreFile(file);
    // Whatever was sealed must open again: a file that cannot is found now, not on the day it is needed.
    disposeContents(openContents(dataKey, decodeKeystoreFile(bytes)));
    await writeFileAtomically(path, bytes, { exclusive: true });
    return new FileKeystore({ path, file, bytes, unlocked: { dataKey, contents } });
  } catch (error) {
    dataKey.dispose();
    disposeContents(contents);
    throw error;
  }
}

/**
 * Reads a keystore file; it stays locked.
 *
 * @throws IdentityError `KEYSTORE_MISSING`, `INVALID_KEYSTORE`, `INSECURE_FILE`
 */
export async function openKeystore(path: string): Promise<Keystore> {
  const bytes = await readKeystoreBytes(path);
  if (bytes === undefined) throw new IdentityError('KEYSTORE_MISSING', `there is no keystore ${path}`);
  return new FileKeystore({ path, file: decodeKeystoreFile(bytes), bytes });
}

/**
 * Writes an exported keystore to a new file and leaves it unlocked. The passphrase is that of the export; change it
 * afterwards if it should be another.
 *
 * @throws IdentityError `INVALID_KEYSTORE`, `WRONG_PASSPHRASE`, `KEYSTORE_EXISTS`
 */
export async function importKeystore(
  path: string,
  exported: Uint8Array,
  { passphrase, signal }: UnlockOptions & { readonly passphrase: Passphrase },
): Promise<Keystore> {
  const bytes = copyBytes(exported);
  const keystore = new FileKeystore({ path, file: decodeKeystoreFile(bytes), bytes });
  await keystore.unlock(passphrase, { signal });
  try {
    await writeFileAtomically(path, bytes, { exclusive: true });
    return keystore;
  } catch (error) {
    keystore.lock();
    throw error;
  }
}

interface Unlocked {
  readonly dataKey: SecretBytes;
  readonly contents: KeystoreContents;
}

interface UnlockInput {
  readonly passphrase: Passphrase;
  /** How often the keystore had been locked when it was asked for. */
  readonly locks: number;
}

interface KeystoreState {
  readonly path: string;
  readonly file: KeystoreFile;
  readonly bytes: Uint8Array;
  readonly unlocked?: Unlocked;
}

class FileKeystore implements Keystore {
  readonly path: string;
  readonly profiles: Profiles;
  #file: KeystoreFile;
  #bytes: Uint8Array;
  #unlocked: Unlocked | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #locks = 0;

  constructor({ path, file, bytes, unlocked }: KeystoreState) {
    this.path = path;
    this.#file = file;
    this.#bytes = bytes;
    this.#unlocked = unlocked;
    this.profiles = createProfiles({
      read: () => this.#open().contents,
      update: (change) => this.#inTurn(() => this.#update(change)),
      identity: (entry) => this.#identityOf(entry),
    });
  }

  get isLocked(): boolean {
    return this.#unlocked === undefined;
  }

  unlock(passphrase: Passphrase, { signal }: UnlockOptions = {}): Promise<void> {
    const locks = this.#locks;
    return withPassphrase(passphrase, (bytes) =>
      this.#inTurn(() => this.#unlock({ passphrase: bytes, signal, locks })),
    );
  }

  async #unlock({ passphrase, signal, locks }: UnlockOptions & UnlockInput): Promise<void> {
    const dataKey = await unwrapDataKey(this.#file, { passphrase, signal });
    try {
      if (this.#locks !== locks) throw new IdentityError('KEYSTORE_LOCKED', 'locked before it was unlocked');
      const contents = openContents(dataKey, this.#file);
      this.#forget();
      this.#unlocked = { dataKey, contents };
    } catch (error) {
      dataKey.dispose();
      throw error;
    }
  }

  lock(): void {
    // An unlock that is under way must not open what was locked, or disposed, after it was asked for.
    this.#locks++;
    this.#forget();
  }

  #forget(): void {
    if (this.#unlocked === undefined) return;
    this.#unlocked.dataKey.dispose();
    disposeContents(this.#unlocked.contents);
    this.#unlocked = undefined;
  }

  [Symbol.dispose](): void {
    this.lock();
  }

  identity(profile?: string): Identity {
    const { profiles, active } = this.#open().contents;
    const entry = profiles.find(({ name, index }) =>
      profile === undefined ? index === active : name === profile,
    );
    if (entry === undefined) throw new IdentityError('UNKNOWN_PROFILE', 'the keystore has no such profile');
    return this.#identityOf(entry);
  }

  changePassphrase(current: Passphrase, next: Passphrase, options: PasswordOptions = {}): Promise<void> {
    const { passwordHash = DEFAULT_PASSWORD_HASH, signal } = options;
    assertPasswordHash(passwordHash);
    return withPassphrase(current, (currentBytes) =>
      withPassphrase(next, (nextBytes) =>
        this.#inTurn(async () => {
          using dataKey = await unwrapDataKey(this.#file, { passphrase: currentBytes, signal });
          const wrapped = await wrapDataKey(dataKey, { passphrase: nextBytes, passwordHash, signal });
          await this.#save({ ...this.#file, ...wrapped });
        }),
      ),
    );
  }

  async exportEncrypted(passphrase: Passphrase, options: PasswordOptions = {}): Promise<Uint8Array> {
    const { passwordHash = DEFAULT_PASSWORD_HASH, signal } = options;
    assertPasswordHash(passwordHash);
    using dataKey = createDataKey();
    const sealed = sealContents(dataKey, this.#open().contents);
    return encodeKeystoreFile({
      ...(await wrapDataKey(dataKey, { passphrase, passwordHash, signal })),
      ...sealed,
    });
  }

  async revealMnemonic(passphrase: Passphrase, { signal }: UnlockOptions = {}): Promise<string> {
    using dataKey = await unwrapDataKey(this.#file, { passphrase, signal });
    const contents = openContents(dataKey, this.#file);
    try {
      if (contents.entropy === undefined) {
        throw new IdentityError('NO_MNEMONIC', 'the keystore was made from a bare seed and has no words');
      }
      return contents.entropy.use(entropyToMnemonic);
    } finally {
      disposeContents(contents);
    }
  }

  #open(): Unlocked {
    if (this.#unlocked === undefined) throw new IdentityError('KEYSTORE_LOCKED', 'the keystore is locked');
    return this.#unlocked;
  }

  #identityOf({ index, generation }: ProfileEntry): Identity {
    return this.#open().contents.seed.use((seed) => {
      const profileSeed = deriveProfileSeed(seed, index);
      try {
        return identityFromSeed(profileSeed, { generation });
      } finally {
        wipe(profileSeed);
      }
    });
  }

  async #update(change: (contents: KeystoreContents) => KeystoreContents): Promise<void> {
    const { dataKey, contents } = this.#open();
    const changed = change(contents);
    await this.#save({ ...this.#file, ...sealContents(dataKey, changed) });
    // Locked while the file was written: then there is nothing in memory to bring up to date.
    if (this.#unlocked?.dataKey === dataKey) this.#unlocked = { dataKey, contents: changed };
  }

  /** Compares and replaces under a lock: of two changes made at once, one would be lost and its index given twice. */
  async #save(file: KeystoreFile): Promise<void> {
    // The file itself, not a link to it: a rename would leave the old secrets under the link's target.
    const path = await realPath(this.path);
    if (path === undefined) throw keystoreChanged();
    await withFileLock(path, () => this.#replace(path, file));
  }

  async #replace(path: string, file: KeystoreFile): Promise<void> {
    const onDisk = await readKeystoreBytes(path);
    if (onDisk === undefined || !Buffer.from(onDisk).equals(this.#bytes)) throw keystoreChanged();
    const bytes = encodeKeystoreFile(file);
    if (bytes.length > MAX_KEYSTORE_LENGTH)
      throw new IdentityError('TOO_MANY_PROFILES', 'the keystore file is full');
    await writeFileAtomically(path, bytes, { exclusive: false });
    this.#file = file;
    this.#bytes = bytes;
  }

  /** One change of the file at a time; a failed one does not stop those behind it. */
  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(action);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

async function initialContents(
  options: CreateKeystoreOptions,
  profile: ProfileEntry,
): Promise<KeystoreContents> {
  const { mnemonic, mnemonicPassphrase = '', seed, words = 24 } = options;
  if (mnemonic !== undefined && seed !== undefined) throw new TypeError('give words or a seed, not both');
  const common = { nextIndex: 1, active: 0, profiles: [profile] };
  if (seed !== undefined && (seed.length < MIN_SEED_LENGTH || seed.length > MAX_SEED_LENGTH)) {
    throw new RangeError(`a seed has ${MIN_SEED_LENGTH} to ${MAX_SEED_LENGTH} bytes`);
  }
  if (seed !== undefined) return { seed: SecretBytes.from(copyBytes(seed)), entropy: undefined, ...common };
  const text = mnemonic ?? createMnemonic({ words });
  return {
    seed: SecretBytes.from(await seedFromMnemonic(text, { passphrase: mnemonicPassphrase })),
    entropy: SecretBytes.from(mnemonicToEntropy(text)),
    ...common,
  };
}

function keystoreChanged(): IdentityError {
  return new IdentityError(
    'KEYSTORE_CHANGED',
    'the keystore file was changed by someone else: open it again',
  );
}

function readKeystoreBytes(path: string): Promise<Uint8Array | undefined> {
  const tooLarge = () => invalidKeystore('length');
  return readSmallFile(path, { maxLength: MAX_KEYSTORE_LENGTH, ownerOnly: true, tooLarge });
}

function assertPasswordHash(passwordHash: PasswordHash): void {
  if (!passwordHashIsAcceptable(passwordHash))
    throw new RangeError('the password hash parameters are out of bounds');
}
