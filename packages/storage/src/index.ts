export type { EncryptedStore } from './encrypted/encrypted-store.ts';
export type { StoreCheckpoint } from './encrypted/freshness.ts';
export type { KeySource } from './encrypted/key-source.ts';
export { type EncryptedStoreOptions, openEncryptedStore } from './encrypted/open-encrypted-store.ts';
export type { RotationOptions, RotationReport } from './encrypted/rotation.ts';
export { isStorageError, StorageError, type StorageErrorCode } from './errors.ts';
export type {
  BatchOperation,
  Entry,
  EntryIterator,
  IterateOptions,
  KeyValueStore,
  OperationOptions,
  Reader,
  Snapshot,
  StoreLimits,
  StoreStats,
  VerifyProblem,
  VerifyReport,
  WriteOptions,
} from './key-value/key-value-store.ts';
export {
  type Migration,
  type MigrationOptions,
  type MigrationReport,
  migrateStore,
} from './key-value/migration.ts';
export { openQuotaStore, type QuotaOptions } from './key-value/quota.ts';
