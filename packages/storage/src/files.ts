export type { DirectoryIdentity, FileSystem, OpenedFile, OpenMode } from './file-system/file-system.ts';
export { nodeFileSystem } from './file-system/node-file-system.ts';
export type { FileInfo } from './files/file-catalog.ts';
export type { ReadRange, StoredFile } from './files/file-reader.ts';
export type {
  FileProblem,
  FileRotationReport,
  FileStore,
  FileStoreOptions,
  FileStoreStats,
  FileVerifyReport,
  FileWriteOptions,
} from './files/file-store.ts';
export type { FileContent } from './files/file-writer.ts';
export { openFileStore } from './files/open-file-store.ts';
