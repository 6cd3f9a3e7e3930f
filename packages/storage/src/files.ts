export type { FileInfo } from './file-catalog.ts';
export type { ReadRange, StoredFile } from './file-reader.ts';
export {
  type FileProblem,
  type FileStore,
  type FileStoreOptions,
  type FileStoreStats,
  type FileVerifyReport,
  type FileWriteOptions,
  openFileStore,
} from './file-store.ts';
export type { FileSystem, OpenedFile, OpenMode } from './file-system.ts';
export type { FileContent } from './file-writer.ts';
export { nodeFileSystem } from './node-file-system.ts';
