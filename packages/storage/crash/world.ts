import { join } from 'node:path';
import { type EncryptedStore, openEncryptedStore } from '@nzcore/storage';
import { type FileStore, openFileStore } from '@nzcore/storage/files';
import { openLevelStore } from '@nzcore/storage/level';
import { type AppendLog, type LogCheckpoint, openLog } from '@nzcore/storage/log';

/** Everything that a node keeps, in one directory. */
export interface World extends AsyncDisposable {
  readonly store: EncryptedStore;
  readonly files: FileStore;
  readonly log: AppendLog;
}

/** How a world is opened. */
export interface WorldOptions {
  readonly freshness: boolean;
  readonly notBefore?: LogCheckpoint | undefined;
}

/** What a worker does besides writing: everything, or nothing that removes or rewrites what is there. */
export interface Load {
  readonly freshness: boolean;
  /** Without rotation of keys and deletion of records; files are written without sync too. */
  readonly isCalm: boolean;
}

const KEY = new Uint8Array(32).fill(42);

/** Opens the stores as a node does. */
export async function openWorld(directory: string, { freshness, notBefore }: WorldOptions): Promise<World> {
  const base = await openLevelStore(join(directory, 'store'));
  const store = await openEncryptedStore(base, { key: KEY, freshness });
  const files = await openFileStore(join(directory, 'files'), { catalog: store.namespace('files') });
  const log = await openLog(join(directory, 'log'), {
    store: store.namespace('log'),
    segmentBytes: 200_000,
    notBefore,
  });
  return {
    store,
    files,
    log,
    [Symbol.asyncDispose]: async () => {
      await log[Symbol.asyncDispose]();
      await files[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}
