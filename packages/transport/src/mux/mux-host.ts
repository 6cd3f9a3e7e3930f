import type { Connection } from '../connection/connection.ts';
import type { ResolvedWireLimits } from './limits.ts';
import type { MuxStream } from './mux-stream.ts';
import type { SchedulerHost } from './send-scheduler.ts';

/** What a {@link Mux} asks of the connection around it. None of these may throw. */
export interface MuxHost extends SchedulerHost {
  /** Monotonic milliseconds. */
  now(): number;
  /** There is room for one more stream of the remote side, beside those of other connections. */
  takeStream(): boolean;
  /** A stream that was taken is over. */
  giveStream(): void;
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
