/** The two layers of a keystore: the passphrase wraps a data key, the data key seals the contents. */
import { chacha20poly1305, hkdf, randomBytes, SecretBytes, wipe } from '@nzcore/crypto';
import { IdentityError } from '../errors.ts';
import { decodeContents, encodeContents, type KeystoreContents } from './contents.ts';
import {
  invalidKeystore,
  type KeystoreFile,
  PASSWORD_SALT_LENGTH,
  PAYLOAD_SALT_LENGTH,
  payloadHeader,
  wrapHeader,
} from './file-format.ts';
import { hashPassphrase, type Passphrase, type PasswordHash, withPassphrase } from './password-hash.ts';

const NONCE = new Uint8Array(12);
const DATA_KEY_LENGTH = 32;
const PAYLOAD_INFO = new TextEncoder().encode('NZ-IDENTITY-01/keystore');

/** The part of a file that depends on the passphrase. */
export type WrappedKey = Pick<KeystoreFile, 'passwordHash' | 'passwordSalt' | 'wrappedKey'>;
/** The part of a file that depends on the contents. */
export type SealedContents = Pick<KeystoreFile, 'payloadSalt' | 'sealedPayload'>;

/** A fresh data key. */
export function createDataKey(): SecretBytes {
  return SecretBytes.from(randomBytes(DATA_KEY_LENGTH));
}

/** Inputs of {@link wrapDataKey}. */
export interface WrapInput {
  readonly passphrase: Passphrase;
  readonly passwordHash: PasswordHash;
  readonly signal?: AbortSignal | undefined;
}

/** Wraps the data key under a passphrase with a fresh salt. */
export async function wrapDataKey(dataKey: SecretBytes, input: WrapInput): Promise<WrappedKey> {
  const { passwordHash, signal } = input;
  const passwordSalt = randomBytes(PASSWORD_SALT_LENGTH);
  const key = await keyOf(input.passphrase, { passwordHash, salt: passwordSalt, signal });
  try {
    const header = wrapHeader(passwordHash, passwordSalt);
    const wrappedKey = dataKey.use((bytes) => chacha20poly1305.seal(key, NONCE, bytes, header));
    return { passwordHash, passwordSalt, wrappedKey };
  } finally {
    wipe(key);
  }
}

/**
 * Unwraps the data key of a file.
 *
 * @throws IdentityError `WRONG_PASSPHRASE`; a changed header cannot be told from a wrong passphrase
 */
export async function unwrapDataKey(
  file: WrappedKey,
  { passphrase, signal }: Pick<WrapInput, 'passphrase' | 'signal'>,
): Promise<SecretBytes> {
  const { passwordHash, passwordSalt, wrappedKey } = file;
  const key = await keyOf(passphrase, { passwordHash, salt: passwordSalt, signal });
  try {
    const header = wrapHeader(passwordHash, passwordSalt);
    return SecretBytes.from(chacha20poly1305.open(key, NONCE, wrappedKey, header));
  } catch {
    throw new IdentityError('WRONG_PASSPHRASE', 'the passphrase does not open this keystore');
  } finally {
    wipe(key);
  }
}

/** Seals contents under the data key with a fresh salt. */
export function sealContents(dataKey: SecretBytes, contents: KeystoreContents): SealedContents {
  const payloadSalt = randomBytes(PAYLOAD_SALT_LENGTH);
  const plaintext = encodeContents(contents);
  const key = payloadKey(dataKey, payloadSalt);
  try {
    return { payloadSalt, sealedPayload: chacha20poly1305.seal(key, NONCE, plaintext, payloadHeader()) };
  } finally {
    wipe(key, plaintext);
  }
}

/**
 * Opens the contents of a file.
 *
 * @throws IdentityError `INVALID_KEYSTORE`
 */
export function openContents(dataKey: SecretBytes, file: SealedContents): KeystoreContents {
  const key = payloadKey(dataKey, file.payloadSalt);
  try {
    return decodeContents(openPayload(key, file.sealedPayload));
  } finally {
    wipe(key);
  }
}

function openPayload(key: Uint8Array, sealed: Uint8Array): Uint8Array {
  try {
    return chacha20poly1305.open(key, NONCE, sealed, payloadHeader());
  } catch {
    throw invalidKeystore('payload');
  }
}

function payloadKey(dataKey: SecretBytes, salt: Uint8Array): Uint8Array {
  return dataKey.use((bytes) => hkdf('sha512', bytes, { salt, info: PAYLOAD_INFO, length: 32 }));
}

interface KeyInput {
  readonly passwordHash: PasswordHash;
  readonly salt: Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

function keyOf(passphrase: Passphrase, input: KeyInput): Promise<Uint8Array> {
  return withPassphrase(passphrase, (bytes) => hashPassphrase(bytes, input));
}
