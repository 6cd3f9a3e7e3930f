import { BrowserLevel } from 'browser-level';
import { StorageError } from '../errors.ts';
import type { KeyValueStore, OperationOptions, StoreLimits } from '../key-value/key-value-store.ts';
import { createStore } from '../key-value/store.ts';
import { createBrowserDriver, type IndexedDatabase } from './browser-driver.ts';

/** Options of {@link openBrowserStore}. */
export interface BrowserStoreOptions extends OperationOptions {
  readonly limits?: StoreLimits | undefined;
}

interface LockManager {
  request(
    name: string,
    options: { mode: 'exclusive'; ifAvailable: true },
    granted: (lock: object | null) => Promise<void>,
  ): Promise<unknown>;
}

/**
 * A store in this browser, kept by IndexedDB for this origin. One page or worker has it open at a time, which a Web Lock ensures
 * where the browser offers it (in secure contexts).
 *
 * @throws StorageError `STORE_LOCKED` when it is open already; `IO_ERROR`
 */
export async function openBrowserStore(
  name: string,
  { limits, signal }: BrowserStoreOptions = {},
): Promise<KeyValueStore> {
  signal?.throwIfAborted();
  const release = await acquireLock(`nzcore-store:${name}`);
  const level = new BrowserLevel<Uint8Array, Uint8Array>(name, {
    prefix: 'nzcore-',
    keyEncoding: 'view',
    valueEncoding: 'view',
  });
  try {
    await level.open();
  } catch (error) {
    release();
    throw new StorageError('IO_ERROR', 'the browser does not open the store', { cause: error });
  }
  // Its own writes cannot ask for durability, so that writes go to the database below.
  const { db } = level as unknown as { db: IndexedDatabase };
  const close = async (): Promise<void> => {
    await level.close();
    release();
  };
  return createStore(createBrowserDriver(level, { database: db, storeName: name, close }), limits);
}

async function acquireLock(name: string): Promise<() => void> {
  const { locks } = (globalThis as { navigator?: { locks?: LockManager } }).navigator ?? {};
  if (locks === undefined) return () => {};
  return new Promise((resolve, reject) => {
    const request = locks.request(name, { mode: 'exclusive', ifAvailable: true }, (lock) => {
      if (lock === null) {
        reject(new StorageError('STORE_LOCKED', 'the store is open already, in this page or in another one'));
        return Promise.resolve();
      }
      return new Promise<void>((release) => resolve(release));
    });
    request.catch(reject);
  });
}
