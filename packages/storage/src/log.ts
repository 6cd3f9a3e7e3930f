export type { FileSystem, OpenedFile, OpenMode } from './file-system/file-system.ts';
export { nodeFileSystem } from './file-system/node-file-system.ts';
export type {
  AppendLog,
  LogEntry,
  LogProblem,
  LogRange,
  LogRetention,
  LogRotationReport,
  LogStats,
} from './log/append-log.ts';
export type { LogCheckpoint } from './log/log-state.ts';
export { type LogOptions, openLog } from './log/open-log.ts';
export type { TornTail } from './log/torn-tail.ts';
