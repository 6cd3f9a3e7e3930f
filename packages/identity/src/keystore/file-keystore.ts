import { type SecretBytes, wipe } from '@nzcore/crypto';
import { IdentityError } from '../errors.ts';
import { type Identity, identityFromSeed } from '../identity.ts';
import { deriveProfileSeed } from '../key-schedule.ts';
import { entropyToMnemonic } from '../mnemonic.ts';
import { readSmallFile, realPath, writeFileAtomically } from './atomic-file.ts';
import { disposeContents, type KeystoreContents, type ProfileEntry } from './contents.ts';
import {
  encodeKeystoreFile,
  invalidKeystore,
  type KeystoreFile,
  MAX_KEYSTORE_LENGTH,
} from './file-format.ts';
import { withFileLock } from './file-lock.ts';
import type { Keystore, PasswordOptions, UnlockOptions } from './keystore.ts';
import {
  DEFAULT_PASSWORD_HASH,
  type Passphrase,
  type PasswordHash,
  passwordHashIsAcceptable,
  withPassphrase,
} from './password-hash.ts';
import { createProfiles, type Profiles } from './profiles.ts';
import { createDataKey, openContents, sealContents, unwrapDataKey, wrapDataKey } from './sealing.ts';

/** The secrets; the keystore's, which forgets them. */
export interface Unlocked {
  readonly dataKey: SecretBytes;
  readonly contents: KeystoreContents;
}

interface UnlockInput {
  readonly passphrase: Passphrase;
  /** How often the keystore had been locked when it was asked for. */
  readonly locks: number;
}

/** A keystore file that was read or written, and its secrets if it is open. */
export interface KeystoreState {
  readonly path: string;
  readonly file: KeystoreFile;
  readonly bytes: Uint8Array;
  readonly unlocked?: Unlocked;
}

/** A keystore in its file. */
export class FileKeystore implements Keystore {
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

function keystoreChanged(): IdentityError {
  return new IdentityError(
    'KEYSTORE_CHANGED',
    'the keystore file was changed by someone else: open it again',
  );
}

/** The bytes of a keystore file; undefined when there is none. */
export function readKeystoreBytes(path: string): Promise<Uint8Array | undefined> {
  const tooLarge = () => invalidKeystore('length');
  return readSmallFile(path, {
    maxLength: MAX_KEYSTORE_LENGTH,
    ownerOnly: true,
    regularOnly: true,
    tooLarge,
  });
}

/** @throws RangeError when the parameters are out of bounds */
export function assertPasswordHash(passwordHash: PasswordHash): void {
  if (!passwordHashIsAcceptable(passwordHash))
    throw new RangeError('the password hash parameters are out of bounds');
}
