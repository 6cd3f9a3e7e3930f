import { findPassphrase, readPassphrase } from '@nzcore/identity/keystore';

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
 * @throws IdentityError `PASSPHRASE_UNAVAILABLE` for one that is empty or a file that is not there, `INSECURE_FILE`
 */
export async function readConfiguredPassphrase({ file }: PassphraseTarget): Promise<Uint8Array | undefined> {
  if (file !== undefined) return readPassphrase([{ type: 'file', path: file }]);
  return findPassphrase([
    { type: 'environment', name: 'NZCORE_PASSPHRASE' },
    { type: 'systemd-credential', name: 'nzcore-passphrase' },
  ]);
}
