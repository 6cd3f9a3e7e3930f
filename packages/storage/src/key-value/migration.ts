import { utf8 } from '../bytes.ts';
import { StorageError } from '../errors.ts';
import type { KeyValueStore, OperationOptions } from './key-value-store.ts';

/** Brings a store from the version before to its own. It may run again after a crash, and must then end in the same. */
export type Migration = (store: KeyValueStore, options: OperationOptions) => Promise<void>;

/** Options of {@link migrateStore}. */
export interface MigrationOptions extends OperationOptions {
  /** The version that the program works with: 1 or more. */
  readonly version: number;
  /** By the version that each one leads to; from 2 on all up to `version` must be there. */
  readonly migrations: Readonly<Record<number, Migration>>;
}

/** From which version to which a store was brought. */
export interface MigrationReport {
  /** 0 for a store that was empty. */
  readonly from: number;
  readonly to: number;
}

const NAMESPACE = 'nz-schema';
const VERSION_KEY = utf8('version');

/**
 * Brings a store to the program's schema, one version after the other; each one is durable before the next begins.
 * A store that has entries but no version is of version 1. The version lies in the namespace `nz-schema`.
 *
 * @throws StorageError `SCHEMA_TOO_NEW`, `MIGRATION_FAILED` (with the cause), `STORE_CORRUPT`
 */
export async function migrateStore(
  store: KeyValueStore,
  { version, migrations, signal }: MigrationOptions,
): Promise<MigrationReport> {
  if (!Number.isSafeInteger(version) || version < 1)
    throw new RangeError('version must be a positive integer');
  for (let step = 2; step <= version; step++) {
    if (typeof migrations[step] !== 'function')
      throw new RangeError(`the migration to version ${step} is missing`);
  }
  const schema = store.namespace(NAMESPACE);
  const from = await readVersion(store, schema, signal);
  if (from > version) {
    throw new StorageError('SCHEMA_TOO_NEW', `the store has version ${from}, this program knows ${version}`);
  }
  if (from === 0) await writeVersion(schema, version);
  for (let step = Math.max(from, 1) + 1; from > 0 && step <= version; step++) {
    signal?.throwIfAborted();
    await runStep(store, migrations[step]!, { step, signal });
    await writeVersion(schema, step);
  }
  return { from, to: version };
}

async function runStep(
  store: KeyValueStore,
  migration: Migration,
  { step, signal }: { step: number; signal: AbortSignal | undefined },
): Promise<void> {
  try {
    await migration(store, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw new StorageError('MIGRATION_FAILED', `the migration to version ${step} failed`, { cause: error });
  }
}

async function readVersion(
  store: KeyValueStore,
  schema: KeyValueStore,
  signal: AbortSignal | undefined,
): Promise<number> {
  const bytes = await schema.get(VERSION_KEY, { signal });
  if (bytes === undefined) {
    const { entries } = await store.stats({ signal });
    return entries === 0 ? 0 : 1;
  }
  const version = bytes.length === 4 ? new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) : 0;
  if (version === 0) throw new StorageError('STORE_CORRUPT', 'the version of the schema is damaged');
  return version;
}

async function writeVersion(schema: KeyValueStore, version: number): Promise<void> {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, version);
  await schema.put(VERSION_KEY, bytes, { sync: true });
}
