export type { EncryptedStore } from './encrypted-store.ts';
export { isStorageError, StorageError, type StorageErrorCode } from './errors.ts';
export type { StoreCheckpoint } from './freshness.ts';
export type { KeySource } from './key-source.ts';
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
} from './key-value-store.ts';
export { type Migration, type MigrationOptions, type MigrationReport, migrateStore } from './migration.ts';
export { type EncryptedStoreOptions, openEncryptedStore } from './open-encrypted-store.ts';
export { openQuotaStore, type QuotaOptions } from './quota.ts';
export type { RotationOptions, RotationReport } from './rotation.ts';
