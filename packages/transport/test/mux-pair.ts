import type { Connection } from '../src/connection/connection.ts';
import { DEFAULT_LIMITS, type WireLimits } from '../src/mux/limits.ts';
import { Mux } from '../src/mux/mux.ts';
import type { MuxBudget } from '../src/mux/mux-host.ts';
import type { Stream } from '../src/mux/stream.ts';

/** One of two multiplexers that are back to back, without channel and socket. */
export interface MuxEnd {
  readonly mux: Mux;
  /** Streams that the other end opened. */
  readonly accepted: Stream[];
  /** Records on their way to the other end. */
  readonly outbox: Uint8Array[];
  readonly goAways: number[];
  drainedCount: number;
  /** What the socket answers to a write. */
  isWritable: boolean;
  onStream: (stream: Stream) => void;
  /** Error that `receive` threw. */
  failure: unknown;
}

export interface MuxPairOptions {
  readonly version?: number;
  readonly limits?: WireLimits;
  readonly maxRecord?: number;
  readonly takesTurns?: boolean;
  /** As much as anybody wants unless given. */
  readonly budget?: MuxBudget;
}

export interface MuxPair {
  readonly a: MuxEnd;
  readonly b: MuxEnd;
  /** Clock of both, in milliseconds. */
  time: number;
  /** Carries records to and fro until none is left. */
  settle(): Promise<void>;
}

const noConnection = {} as Connection;

export function createMuxEnd(isInitiator: boolean, now: () => number, options: MuxPairOptions = {}): MuxEnd {
  const outbox: Uint8Array[] = [];
  const accepted: Stream[] = [];
  const goAways: number[] = [];
  const end: MuxEnd = {
    accepted,
    outbox,
    goAways,
    drainedCount: 0,
    isWritable: true,
    failure: undefined,
    onStream: () => undefined,
    mux: new Mux({
      connection: noConnection,
      isInitiator,
      version: options.version ?? 2,
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      ...(options.maxRecord === undefined ? {} : { maxRecord: options.maxRecord }),
      takesTurns: options.takesTurns ?? false,
      host: {
        now,
        sendRecord(parts) {
          outbox.push(concat(parts));
          return end.isWritable;
        },
        flushRecords: () => end.isWritable,
        budget: options.budget ?? {
          take: () => true,
          give: () => undefined,
          cover: () => true,
          isScarce: false,
        },
        onStream(stream) {
          accepted.push(stream);
          end.onStream(stream);
        },
        onGoAway: (code) => goAways.push(code),
        onDrained: () => {
          end.drainedCount += 1;
        },
      },
    }),
  };
  return end;
}

export function createMuxPair(options: MuxPairOptions = {}): MuxPair {
  const pair: MuxPair = {
    time: 1000,
    a: createMuxEnd(true, () => pair.time, options),
    b: createMuxEnd(false, () => pair.time, options),
    async settle() {
      for (let idle = 0; idle < 5; ) {
        await new Promise((resolve) => setImmediate(resolve));
        idle = deliver(pair.a, pair.b) || deliver(pair.b, pair.a) ? 0 : idle + 1;
      }
    },
  };
  return pair;
}

/** Carries one record; false when there is none. */
export function deliver(from: MuxEnd, to: MuxEnd): boolean {
  const record = from.outbox.shift();
  if (record === undefined) return false;
  if (to.failure !== undefined) return true;
  to.mux.cork();
  try {
    to.mux.receive(record);
  } catch (error) {
    to.failure = error;
    to.mux.fail(error as Error);
  }
  to.mux.uncork();
  return true;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
