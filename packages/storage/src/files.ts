export type { FileSystem, OpenedFile, OpenMode } from './file-system/file-system.ts';
export { nodeFileSystem } from './file-system/node-file-system.ts';
export type { FileInfo } from './files/file-catalog.ts';
export type { ReadRange, StoredFile } from './files/file-reader.ts';
export {
  type FileProblem,
  type FileStore,
  type FileStoreOptions,
  type FileStoreStats,
  type FileVerifyReport,
  type FileWriteOptions,
  openFileStore,
} from './files/file-store.ts';
export type { FileContent } from './files/file-writer.ts';
