/** Passphrases for a peer that starts without a person: systemd credential, file, environment or keychain. */
import { join } from 'node:path';
import { randomBytes, wipe } from '@nzcore/crypto';
import { IdentityError } from '../errors.ts';
import { readSmallFile } from './atomic-file.ts';
import { createFile, tidyUp } from './create-file.ts';
import { readKeychain } from './keychain.ts';
import { encodePassphrase } from './password-hash.ts';
import { base64url } from './secret-text.ts';

/** Where a passphrase may be found. */
export type PassphraseSource =
  /** A credential of the service manager (`LoadCredential=` or `LoadCredentialEncrypted=`). */
  | { readonly type: 'systemd-credential'; readonly name: string }
  /** A file that only its owner can read; one line end at its end is not part of the passphrase. */
  | { readonly type: 'file'; readonly path: string }
  /** An environment variable. It is removed from `process.env` when it was read, so that children do not get it. */
  | { readonly type: 'environment'; readonly name: string }
  /** The keychain of the operating system; needs the optional package `@napi-rs/keyring`. */
  | { readonly type: 'keychain'; readonly service: string; readonly account: string };

const MAX_PASSPHRASE_BYTES = 4096;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
// The name becomes a file name inside of the credentials directory.
const CREDENTIAL_NAME_PATTERN = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/;

/**
 * The passphrase of the first source that has one, undefined when none has; the caller wipes it.
 *
 * @throws IdentityError `PASSPHRASE_UNAVAILABLE` when it is empty or longer than 4096 bytes,
 * `INSECURE_FILE` when others can read the file, `KEYCHAIN_UNAVAILABLE`
 */
export async function findPassphrase(sources: readonly PassphraseSource[]): Promise<Uint8Array | undefined> {
  for (const source of sources) {
    const passphrase = await readSource(source);
    if (passphrase !== undefined) return passphrase;
  }
  return undefined;
}

/**
 * The passphrase of the first source that has one; the caller wipes it.
 *
 * @throws as {@link findPassphrase}; IdentityError `PASSPHRASE_UNAVAILABLE` when none has one
 */
export async function readPassphrase(sources: readonly PassphraseSource[]): Promise<Uint8Array> {
  const passphrase = await findPassphrase(sources);
  if (passphrase !== undefined) return passphrase;
  throw unavailable(`there is none in ${sources.map(nameOf).join(', ')}`);
}

function nameOf(source: PassphraseSource): string {
  switch (source.type) {
    case 'systemd-credential':
      return `the credential ${source.name}`;
    case 'file':
      return `the file ${source.path}`;
    case 'environment':
      return `the variable ${source.name}`;
    case 'keychain':
      return 'the keychain';
  }
}

const GENERATED_BYTES = 32;

/**
 * Makes a passphrase of 32 random bytes, in base64url, and keeps it in a new file that {@link readPassphrase} reads:
 * mode 0600 in a directory of mode 0700, on the disk completely before this resolves, or not there at all.
 *
 * @returns the passphrase; the caller wipes it
 * @throws IdentityError `KEYSTORE_EXISTS` when there is a file; a system error when it cannot be written
 */
export async function createPassphraseFile(path: string): Promise<Uint8Array> {
  const random = randomBytes(GENERATED_BYTES);
  const passphrase = base64url(random);
  const line = Uint8Array.of(...passphrase, LINE_FEED);
  try {
    await createFile(path, line);
    return passphrase;
  } catch (error) {
    wipe(passphrase);
    throw error;
  } finally {
    wipe(random, line);
  }
}

function readSource(source: PassphraseSource): Promise<Uint8Array | undefined> {
  switch (source.type) {
    case 'systemd-credential':
      return readCredential(source.name);
    case 'file':
      return readFile(source.path);
    case 'environment':
      return Promise.resolve(readEnvironment(source.name));
    case 'keychain':
      return readKeychain(source);
  }
}

async function readFile(path: string): Promise<Uint8Array | undefined> {
  // Where the file was made by `createPassphraseFile`, and its process was ended in the middle. First, for it may wait or fail.
  await tidyUp(path);
  return readLine(path, { ownerOnly: true });
}

async function readCredential(name: string): Promise<Uint8Array | undefined> {
  if (!CREDENTIAL_NAME_PATTERN.test(name)) throw new RangeError('not the name of a systemd credential');
  const directory = process.env['CREDENTIALS_DIRECTORY'];
  // systemd gives a service's user access by an ACL, whose mask stat shows as the group's bits.
  return directory === undefined ? undefined : readLine(join(directory, name), { ownerOnly: false });
}

function readEnvironment(name: string): Uint8Array | undefined {
  const value = process.env[name];
  if (value === undefined) return undefined;
  delete process.env[name];
  return checked(encodePassphrase(value), `the variable ${name}`);
}

async function readLine(
  path: string,
  { ownerOnly }: { readonly ownerOnly: boolean },
): Promise<Uint8Array | undefined> {
  const tooLarge = () => unavailable(`the one in ${path} is too long`);
  const content = await readSmallFile(path, { maxLength: MAX_PASSPHRASE_BYTES, ownerOnly, tooLarge });
  if (content === undefined) return undefined;
  const line = withoutLineEnd(content);
  wipe(content);
  return checked(normalised(line), path);
}

/** A file of text gives what its text would give when typed; other bytes stay as they are. */
function normalised(line: Uint8Array): Uint8Array {
  // ASCII is in every normal form, and never becomes a string, which could not be wiped.
  if (line.every((byte) => byte < 0x80)) return line;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line);
    const passphrase = encodePassphrase(text);
    wipe(line);
    return passphrase;
  } catch {
    return line;
  }
}

function withoutLineEnd(content: Uint8Array): Uint8Array {
  let end = content.length;
  if (content[end - 1] === LINE_FEED) end--;
  if (end < content.length && content[end - 1] === CARRIAGE_RETURN) end--;
  return content.slice(0, end);
}

function checked(passphrase: Uint8Array, place: string): Uint8Array {
  if (passphrase.length === 0) throw unavailable(`the one in ${place} is empty`);
  if (passphrase.length > MAX_PASSPHRASE_BYTES) throw unavailable(`the one in ${place} is too long`);
  return passphrase;
}

function unavailable(why: string): IdentityError {
  return new IdentityError('PASSPHRASE_UNAVAILABLE', `no passphrase: ${why}`);
}
