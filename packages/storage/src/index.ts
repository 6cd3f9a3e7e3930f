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
} from './key-value-store.ts';
