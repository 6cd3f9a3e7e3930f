/**
 * The keystore file (spec/identity.md §7). All integers are big-endian.
 *
 * ```text
 *   0   8  magic "NZ-KEYS" 0x00
 *   8   1  version 0x01
 *   9   1  password hash: 0x01 scrypt, 0x02 Argon2id
 *  10   4  scrypt: log2 N     Argon2id: memory in KiB
 *  14   4  scrypt: r          Argon2id: iterations
 *  18   4  scrypt: p          Argon2id: lanes, always 1
 *  22  16  salt of the password hash
 *  38  48  data key (32) under the password hash: ChaCha20-Poly1305, nonce 0, associated data = bytes 0-37
 *  86  32  salt of the payload key
 * 118   4  length of the sealed payload
 * 122   n  payload under HKDF-SHA512(data key, salt): ChaCha20-Poly1305, nonce 0, associated data = bytes 0-8
 * ```
 *
 * Both nonces are 0 because either key is used once: each write draws new salts.
 */
import { copyBytes } from '../bytes.ts';
import { IdentityError } from '../errors.ts';
import { type PasswordHash, passwordHashIsAcceptable } from './password-hash.ts';

/** Length of the associated data of the wrapped data key. */
export const WRAP_HEADER_LENGTH = 38;
/** Length of both the data key's wrapping and its tag. */
export const WRAPPED_KEY_LENGTH = 48;
/** Length of the salt of the password hash. */
export const PASSWORD_SALT_LENGTH = 16;
/** Length of the salt of the payload key. */
export const PAYLOAD_SALT_LENGTH = 32;
/** The largest file that is read; hundreds of profiles fit. */
export const MAX_KEYSTORE_LENGTH = 65_536;

const MAGIC = new TextEncoder().encode('NZ-KEYS\0');
const VERSION = 1;
const SCRYPT = 1;
const ARGON2ID = 2;
const PASSWORD_SALT_OFFSET = 22;
const PAYLOAD_SALT_OFFSET = WRAP_HEADER_LENGTH + WRAPPED_KEY_LENGTH;
const PAYLOAD_LENGTH_OFFSET = PAYLOAD_SALT_OFFSET + PAYLOAD_SALT_LENGTH;
const PAYLOAD_OFFSET = PAYLOAD_LENGTH_OFFSET + 4;

/** The parts of a keystore file; everything in it is public or sealed. */
export interface KeystoreFile {
  readonly passwordHash: PasswordHash;
  readonly passwordSalt: Uint8Array;
  readonly wrappedKey: Uint8Array;
  readonly payloadSalt: Uint8Array;
  readonly sealedPayload: Uint8Array;
}

/** The associated data of the wrapped data key: parameters and salt, so that neither can be exchanged. */
export function wrapHeader(passwordHash: PasswordHash, passwordSalt: Uint8Array): Uint8Array {
  const header = new Uint8Array(WRAP_HEADER_LENGTH);
  header.set(payloadHeader());
  const view = new DataView(header.buffer);
  view.setUint8(9, passwordHash.algorithm === 'scrypt' ? SCRYPT : ARGON2ID);
  const costs =
    passwordHash.algorithm === 'scrypt'
      ? [passwordHash.logN, passwordHash.r, passwordHash.p]
      : [passwordHash.memoryKiB, passwordHash.iterations, 1];
  costs.forEach((cost, i) => {
    view.setUint32(10 + 4 * i, cost);
  });
  header.set(passwordSalt, PASSWORD_SALT_OFFSET);
  return header;
}

/** The associated data of the payload: magic and version. A change of passphrase leaves it as it is. */
export function payloadHeader(): Uint8Array {
  return Uint8Array.of(...MAGIC, VERSION);
}

/** The bytes of a keystore file. */
export function encodeKeystoreFile(file: KeystoreFile): Uint8Array {
  const bytes = new Uint8Array(PAYLOAD_OFFSET + file.sealedPayload.length);
  bytes.set(wrapHeader(file.passwordHash, file.passwordSalt));
  bytes.set(file.wrappedKey, WRAP_HEADER_LENGTH);
  bytes.set(file.payloadSalt, PAYLOAD_SALT_OFFSET);
  new DataView(bytes.buffer).setUint32(PAYLOAD_LENGTH_OFFSET, file.sealedPayload.length);
  bytes.set(file.sealedPayload, PAYLOAD_OFFSET);
  return bytes;
}

/**
 * Reads a keystore file. Nothing is computed yet: parameters out of bounds are refused here, before a password hash
 * could spend memory on them.
 *
 * @throws IdentityError `INVALID_KEYSTORE`
 */
export function decodeKeystoreFile(input: Uint8Array): KeystoreFile {
  if (input.length > MAX_KEYSTORE_LENGTH) throw invalidKeystore('length');
  const bytes = copyBytes(input);
  if (bytes.length <= PAYLOAD_OFFSET) throw invalidKeystore('length');
  if (!payloadHeader().every((byte, i) => bytes[i] === byte)) throw invalidKeystore('magic or version');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(PAYLOAD_LENGTH_OFFSET) !== bytes.length - PAYLOAD_OFFSET)
    throw invalidKeystore('length');
  return {
    passwordHash: decodePasswordHash(view),
    passwordSalt: bytes.slice(PASSWORD_SALT_OFFSET, WRAP_HEADER_LENGTH),
    wrappedKey: bytes.slice(WRAP_HEADER_LENGTH, PAYLOAD_SALT_OFFSET),
    payloadSalt: bytes.slice(PAYLOAD_SALT_OFFSET, PAYLOAD_LENGTH_OFFSET),
    sealedPayload: bytes.slice(PAYLOAD_OFFSET),
  };
}

function decodePasswordHash(view: DataView): PasswordHash {
  const [a, b, c] = [view.getUint32(10), view.getUint32(14), view.getUint32(18)];
  const passwordHash = passwordHashOf(view.getUint8(9), [a, b, c]);
  if (passwordHash === undefined || !passwordHashIsAcceptable(passwordHash)) {
    throw invalidKeystore('password hash parameters');
  }
  return passwordHash;
}

function passwordHashOf(id: number, [a, b, c]: readonly [number, number, number]): PasswordHash | undefined {
  if (id === SCRYPT) return { algorithm: 'scrypt', logN: a, r: b, p: c };
  if (id === ARGON2ID && c === 1) return { algorithm: 'argon2id', memoryKiB: a, iterations: b };
  return undefined;
}

/** The one error for a keystore file that is not what this package writes. */
export function invalidKeystore(what: string): IdentityError {
  return new IdentityError('INVALID_KEYSTORE', `not a keystore file of this version (${what})`);
}
