import type { Connection } from '../connection/connection.ts';
import type { ResolvedWireLimits } from './limits.ts';
import type { MuxStream } from './mux-stream.ts';
import type { SchedulerHost } from './send-scheduler.ts';

/** A connection's part of the memory that all connections share. None of these may throw. */
export interface MuxBudget {
  /** There is room for one more stream of the remote side. */
  take(): boolean;
  /** A stream that was taken is over. */
  give(): void;
  /** Has so many bytes counted that streams hold. @returns false when there is no room for them: as many are counted as before */
  cover(bytes: number): boolean;
  /** So much is used up that nothing should be promised to anybody. */
  readonly isScarce: boolean;
}

/** What a {@link Mux} asks of the connection around it. None of these may throw. */
export interface MuxHost extends SchedulerHost {
  /** Monotonic milliseconds. */
  now(): number;
  readonly budget: MuxBudget;
  /** The remote side opened a stream; its first data follows when this returns. */
  onStream(stream: MuxStream): void;
  /** The remote side takes no new streams; a code other than 0 says what this side did wrong. */
  onGoAway(code: number): void;
  /** This side drains and the last stream is over. */
  onDrained(): void;
}

export interface MuxOptions {
  readonly host: MuxHost;
  readonly connection: Connection;
  readonly isInitiator: boolean;
  readonly version: number;
  readonly limits: ResolvedWireLimits;
  readonly maxRecord?: number;
  /** A record may be read in parts: see `Mux.hasRest`. @defaultValue false */
  readonly takesTurns?: boolean;
}
