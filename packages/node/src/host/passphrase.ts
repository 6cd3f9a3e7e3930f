import { IdentityError } from '@nzcore/identity';
import { type PassphraseSource, readPassphrase } from '@nzcore/identity/keystore';
import { NodeError } from '../errors.ts';

/** What a passphrase is for. */
export interface PassphraseTarget {
  readonly dataDir: string;
  /** A keystore is about to be created. */
  readonly isNew: boolean;
  /** The configured `passphraseFile`. */
  readonly file: string | undefined;
}

/**
 * The passphrase that the owner configured: `passphraseFile`, or else the variable `NZCORE_PASSPHRASE`, or systemd's
 * credential `nzcore-passphrase`. Undefined when none is configured.
 *
 * @throws IdentityError `PASSPHRASE_UNAVAILABLE`, `INSECURE_FILE` for a configured file; NodeError `PASSPHRASE_REQUIRED` for an empty variable
 */
export async function readConfiguredPassphrase({ file }: PassphraseTarget): Promise<Uint8Array | undefined> {
  if (file !== undefined) return readPassphrase([{ type: 'file', path: file }]);
  if (process.env['NZCORE_PASSPHRASE'] === '') {
    throw new NodeError(
      'PASSPHRASE_REQUIRED',
      'NZCORE_PASSPHRASE is empty: give it the passphrase, or unset it',
    );
  }
  const sources: PassphraseSource[] = [
    { type: 'environment', name: 'NZCORE_PASSPHRASE' },
    { type: 'systemd-credential', name: 'nzcore-passphrase' },
  ];
  try {
    return await readPassphrase(sources);
  } catch (error) {
    if (error instanceof IdentityError && error.code === 'PASSPHRASE_UNAVAILABLE') return undefined;
    throw error;
  }
}
