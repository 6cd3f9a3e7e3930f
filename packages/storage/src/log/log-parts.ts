import type { ReleaseDirectory } from '../file-system/claim-directory.ts';
import type { LogRetention } from './append-log.ts';
import type { LogFiles } from './log-recovery.ts';
import type { LogState } from './log-state.ts';
import type { TornTail } from './torn-tail.ts';

/** What a log works with once it is open. */
export interface LogParts extends LogFiles {
  readonly state: LogState;
  readonly segmentBytes: number;
  readonly maxEntryBytes: number;
  readonly retention: LogRetention;
  readonly now: () => number;
  readonly torn: TornTail | undefined;
  /** Called when the log is closed. */
  readonly release: ReleaseDirectory;
}
