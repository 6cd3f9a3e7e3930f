/**
 * What went wrong; callers branch on it. The README has the table with what to do about each.
 */
export type StorageErrorCode =
  | 'STORE_CLOSED'
  | 'STORE_LOCKED'
  | 'DIRECTORY_IN_USE'
  | 'STORE_CORRUPT'
  | 'STORE_MISSING'
  | 'STORE_FAILED'
  | 'STORE_ROLLED_BACK'
  | 'IO_ERROR'
  | 'NO_SPACE'
  | 'WRONG_KEY'
  | 'UNSUPPORTED_FORMAT'
  | 'SCHEMA_TOO_NEW'
  | 'MIGRATION_FAILED'
  | 'QUOTA_EXCEEDED'
  | 'KEY_TOO_LARGE'
  | 'VALUE_TOO_LARGE'
  | 'BATCH_TOO_LARGE'
  | 'RECORD_CORRUPT'
  | 'RECORD_ROLLED_BACK'
  | 'INVALID_NAME'
  | 'FILE_MISSING'
  | 'FILE_CORRUPT'
  | 'FILE_TRUNCATED'
  | 'FILE_ROLLED_BACK'
  | 'FILE_TOO_LARGE'
  | 'LOG_CORRUPT'
  | 'LOG_TRUNCATED'
  | 'LOG_ROLLED_BACK'
  | 'LOG_FAILED'
  | 'ENTRY_TOO_LARGE';

/** An operational failure of a store, file or log. Its message never holds a key, a value or a secret. */
export class StorageError extends Error {
  /** Stable and documented, unlike the message. */
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StorageError';
    this.code = code;
  }
}

/** Whether `error` is a {@link StorageError}, and of this code if one is given. */
export function isStorageError(error: unknown, code?: StorageErrorCode): error is StorageError {
  return error instanceof StorageError && (code === undefined || error.code === code);
}
