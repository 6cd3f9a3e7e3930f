import { wipe } from '@nzcore/crypto';
import { IdentityError } from '../errors.ts';
import { findPassphrase } from './passphrase-source.ts';
import { fromHex } from './secret-text.ts';

const KEY_LENGTH = 32;

/**
 * A 32-byte key that is written as 64 hexadecimal digits in a file that only its owner can read; one line end behind
 * them is allowed. The caller wipes it.
 *
 * @throws IdentityError `INVALID_KEY_FILE` when the file is missing or holds anything else, `INSECURE_FILE` when others can read it
 */
export async function readKeyFile(path: string): Promise<Uint8Array> {
  const text = await findPassphrase([{ type: 'file', path }]);
  if (text === undefined) throw new IdentityError('INVALID_KEY_FILE', `there is no file ${path}`);
  const key = fromHex(text, KEY_LENGTH);
  wipe(text);
  if (key === undefined) {
    throw new IdentityError('INVALID_KEY_FILE', `${path} must hold 64 hexadecimal digits`);
  }
  return key;
}
