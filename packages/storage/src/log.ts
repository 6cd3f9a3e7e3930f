export type {
  AppendLog,
  LogEntry,
  LogProblem,
  LogRange,
  LogRetention,
  LogStats,
} from './append-log.ts';
export type { FileSystem, OpenedFile, OpenMode } from './file-system.ts';
export type { TornTail } from './log-recovery.ts';
export type { LogCheckpoint } from './log-state.ts';
export { nodeFileSystem } from './node-file-system.ts';
export { type LogOptions, openLog } from './open-log.ts';
