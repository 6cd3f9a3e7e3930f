/** The keychain of the operating system, if the user installed `@napi-rs/keyring`. */
import { IdentityError } from '../errors.ts';
import { encodePassphrase } from './password-hash.ts';

/** An entry of the keychain. */
export interface KeychainEntry {
  /** Such as the name of the program. */
  readonly service: string;
  /** Such as the path of the keystore. */
  readonly account: string;
}

/**
 * The passphrase that the keychain holds.
 *
 * @returns undefined when it has no such entry
 * @throws IdentityError `KEYCHAIN_UNAVAILABLE` without the optional package or without a keychain
 */
export async function readKeychain(entry: KeychainEntry): Promise<Uint8Array | undefined> {
  const { AsyncEntry } = await loadKeyring();
  const value = await attempt(() => new AsyncEntry(entry.service, entry.account).getPassword());
  return value === undefined || value === null ? undefined : encodePassphrase(value);
}

/**
 * Puts a passphrase into the keychain, in place of an older one.
 *
 * @throws IdentityError `KEYCHAIN_UNAVAILABLE`
 */
export async function writeKeychain(entry: KeychainEntry, passphrase: string): Promise<void> {
  const { AsyncEntry } = await loadKeyring();
  await attempt(() => new AsyncEntry(entry.service, entry.account).setPassword(passphrase));
}

/**
 * Takes a passphrase out of the keychain; succeeds when there is none.
 *
 * @throws IdentityError `KEYCHAIN_UNAVAILABLE`
 */
export async function deleteKeychain(entry: KeychainEntry): Promise<void> {
  const { AsyncEntry } = await loadKeyring();
  await attempt(() => new AsyncEntry(entry.service, entry.account).deleteCredential());
}

type Keyring = typeof import('@napi-rs/keyring');

/** The optional package, or an error that says how to get it. */
export async function loadKeyring(load: () => Promise<Keyring> = importKeyring): Promise<Keyring> {
  try {
    return await load();
  } catch (cause) {
    throw new IdentityError('KEYCHAIN_UNAVAILABLE', 'install @napi-rs/keyring to use the keychain', {
      cause,
    });
  }
}

function importKeyring(): Promise<Keyring> {
  return import('@napi-rs/keyring');
}

async function attempt<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw new IdentityError('KEYCHAIN_UNAVAILABLE', 'the keychain of this system cannot be used', { cause });
  }
}
