import { SecretBytes } from '@nzcore/crypto';
import { copyBytes } from '../bytes.ts';
import { IdentityError } from '../errors.ts';
import { assertTime } from '../fields.ts';
import { assertGeneration } from '../identity.ts';
import { MAX_SEED_LENGTH, MIN_SEED_LENGTH } from '../key-schedule.ts';
import { createMnemonic, mnemonicToEntropy, seedFromMnemonic } from '../mnemonic.ts';
import { disposeContents, type KeystoreContents, type ProfileEntry } from './contents.ts';
import { createFile, tidyUp } from './create-file.ts';
import { decodeKeystoreFile, encodeKeystoreFile } from './file-format.ts';
import { assertPasswordHash, FileKeystore, readKeystoreBytes } from './file-keystore.ts';
import type { CreateKeystoreOptions, Keystore, UnlockOptions } from './keystore.ts';
import { DEFAULT_PASSWORD_HASH, type Passphrase, withPassphrase } from './password-hash.ts';
import { assertProfileName } from './profiles.ts';
import { createDataKey, openContents, sealContents, wrapDataKey } from './sealing.ts';

/**
 * Creates a keystore file (mode 0600) with one profile and leaves it unlocked.
 *
 * @throws IdentityError `KEYSTORE_EXISTS`: an existing file is never replaced; `INVALID_MNEMONIC`
 */
export async function createKeystore(path: string, options: CreateKeystoreOptions): Promise<Keystore> {
  return withPassphrase(options.passphrase, (passphrase) => createWithCopy(path, { ...options, passphrase }));
}

async function createWithCopy(path: string, options: CreateKeystoreOptions): Promise<Keystore> {
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
    await createFile(path, bytes);
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
  await tidyUp(path);
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
    await createFile(path, bytes);
    return keystore;
  } catch (error) {
    keystore.lock();
    throw error;
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
