import { StorageError } from '../errors.ts';

/** Plaintext bytes in the catalog and in writes under way, and what they may be. */
export interface FileQuota {
  /**
   * Takes `count` more bytes for a file that has `size` with them.
   * @throws StorageError `FILE_TOO_LARGE`, `QUOTA_EXCEEDED`
   */
  reserve(size: number, count: number): void;
  /** Counts bytes that replace others, which nobody has to make room for. */
  add(bytes: number): void;
  release(bytes: number): void;
}

/** @param used - bytes in the catalog */
export function createFileQuota(
  used: number,
  { maxFileBytes = Number.MAX_SAFE_INTEGER, maxTotalBytes = Number.MAX_SAFE_INTEGER }: FileQuotaLimits,
): FileQuota {
  let total = used;
  return {
    reserve: (size, count) => {
      if (size > maxFileBytes)
        throw new StorageError('FILE_TOO_LARGE', `a file may have ${maxFileBytes} bytes`);
      if (total + count > maxTotalBytes) {
        throw new StorageError('QUOTA_EXCEEDED', `all files together may have ${maxTotalBytes} bytes`);
      }
      total += count;
    },
    add: (bytes) => {
      total += bytes;
    },
    release: (bytes) => {
      total -= bytes;
    },
  };
}

/** What the owner of a file store allows. */
export interface FileQuotaLimits {
  readonly maxFileBytes?: number | undefined;
  readonly maxTotalBytes?: number | undefined;
}
