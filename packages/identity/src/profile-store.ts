/** A profile's own part of a shared store (spec/identity.md §2.3). */
import {
  type EncryptedStore,
  type EncryptedStoreOptions,
  type KeyValueStore,
  openEncryptedStore,
} from '@nzcore/storage';
import type { Identity } from './identity.ts';

/** What is decided about a profile's store besides its key. */
export type ProfileStoreOptions = Omit<EncryptedStoreOptions, 'key'>;

/**
 * Opens what one identity has stored: a namespace of its own in `store`, encrypted under a key of its own. Another
 * profile's handle neither lists nor opens it. Closing it leaves `store` open.
 *
 * @throws StorageError as `openEncryptedStore` does; IdentityError `DISPOSED`
 */
export async function openProfileStore(
  store: KeyValueStore,
  identity: Identity,
  options: ProfileStoreOptions = {},
): Promise<EncryptedStore> {
  using key = identity.storageKey();
  return await openEncryptedStore(store.namespace(identity.storageNamespace), { ...options, key });
}
