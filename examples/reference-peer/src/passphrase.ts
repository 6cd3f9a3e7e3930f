import { access } from 'node:fs/promises';
import { createPassphraseFile, readPassphrase } from '@nzcore/identity/keystore';
import { NodeError } from '@nzcore/node';
import { type PassphraseTarget, readConfiguredPassphrase } from '@nzcore/node/host';
import { generatedPassphraseFile, type Places } from './places.ts';

/** Where a passphrase may come from when none is configured. */
export interface PassphraseSources {
  /** Asks a person, twice for a new one; undefined where there is no terminal. */
  readonly ask: ((isNew: boolean) => Promise<string>) | undefined;
  /** Asks whatever else there is. */
  readonly asksFirst: boolean;
  readonly places: Places;
}

/** A file that holds the passphrase because nobody gave one. */
export interface GeneratedPassphrase {
  readonly file: string;
  /** It was made just now. */
  readonly isNew: boolean;
}

/** A passphrase, and its file when the peer keeps it itself. */
export interface FoundPassphrase {
  readonly passphrase: string | Uint8Array;
  readonly generated?: GeneratedPassphrase;
}

async function generate(path: string): Promise<Uint8Array> {
  try {
    return await createPassphraseFile(path);
  } catch (cause) {
    const message = `the keystore needs a passphrase, and a generated one cannot be kept (${(cause as Error).message}); use --passphrase-file or NZCORE_PASSPHRASE`;
    throw new NodeError('PASSPHRASE_REQUIRED', message, { cause });
  }
}

async function readGenerated(path: string): Promise<Uint8Array | undefined> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  return isThere ? readPassphrase([{ type: 'file', path }]) : undefined;
}

/**
 * Finds the passphrase of the keystore: asked for, configured, kept from before, made for a new keystore, or else asked.
 *
 * @throws NodeError `PASSPHRASE_REQUIRED`; IdentityError when a file cannot be taken
 */
export async function findPassphrase(
  target: PassphraseTarget,
  { ask, asksFirst, places }: PassphraseSources,
): Promise<FoundPassphrase> {
  const { isNew, dataDir } = target;
  if (asksFirst && ask !== undefined) return { passphrase: await ask(isNew) };
  if (asksFirst) {
    throw new NodeError(
      'PASSPHRASE_REQUIRED',
      'there is no terminal to ask for the passphrase: use --passphrase-file',
    );
  }
  const configured = await readConfiguredPassphrase(target);
  if (configured !== undefined) return { passphrase: configured };
  const file = generatedPassphraseFile(places, dataDir);
  const kept = await readGenerated(file);
  if (kept !== undefined) return { passphrase: kept, generated: { file, isNew: false } };
  if (isNew) return { passphrase: await generate(file), generated: { file, isNew: true } };
  if (ask !== undefined) return { passphrase: await ask(false) };
  const advice = 'use --passphrase-file, NZCORE_PASSPHRASE or --ask-passphrase';
  throw new NodeError('PASSPHRASE_REQUIRED', `the keystore in ${dataDir} needs its passphrase: ${advice}`);
}
