import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import envPaths from 'env-paths';

/** Where the operating system keeps data and configuration of a program. */
export interface Places {
  /** The data directory when none is configured. */
  readonly dataDir: string;
  /** Directory of generated passphrases; never below a data directory. */
  readonly passphrases: string;
}

/** The places of the account that runs this process. */
export function systemPlaces(): Places {
  const { data, config } = envPaths('newzonecore', { suffix: '' });
  return { dataDir: join(data, 'peer'), passphrases: join(config, 'passphrases') };
}

/** A name for a data directory, out of its absolute path: 32 hexadecimal digits. */
export function shortName(dataDir: string): string {
  return createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 32);
}

/** The file that holds the generated passphrase of a data directory. */
export function generatedPassphraseFile(places: Places, dataDir: string): string {
  return join(places.passphrases, shortName(dataDir));
}
