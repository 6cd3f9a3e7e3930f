export { IdentityError, type IdentityErrorCode } from './errors.ts';
export { readKeyFile } from './keystore/key-file.ts';
export { deleteKeychain, type KeychainEntry, writeKeychain } from './keystore/keychain.ts';
export type { CreateKeystoreOptions, Keystore, PasswordOptions, UnlockOptions } from './keystore/keystore.ts';
export { createKeystore, importKeystore, openKeystore } from './keystore/open-keystore.ts';
export {
  createPassphraseFile,
  findPassphrase,
  type PassphraseSource,
  readPassphrase,
} from './keystore/passphrase-source.ts';
export { DEFAULT_PASSWORD_HASH, type Passphrase, type PasswordHash } from './keystore/password-hash.ts';
export type { CreateProfileOptions, Profile, Profiles, RotatedProfile } from './keystore/profiles.ts';
