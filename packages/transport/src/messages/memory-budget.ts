import type { Timers, TimerTarget } from '../time/timers.ts';
import type { SharedMemory } from './shared-memory.ts';

/** Bytes that may be held at once. Whoever takes some gives them back. */
export interface MemoryBudget {
  /** Bytes that are held now. */
  readonly used: number;
  /** @returns false when there is no room: nothing was taken then */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

/** What a connection carries. */
export interface Line {
  /** Bytes that have come so far. */
  readonly received: number;
  readonly sent: number;
  /** Streams that share it. */
  readonly streams: number;
}

const NO_LINE: Line = { received: 0, sent: 0, streams: 1 };

/** What one stream holds. */
export interface HeldMemory {
  /** Bytes of messages that have not arrived whole, and of answers that are not taken: they can be given up. */
  readonly unfinished: number;
  /** How long there has been no progress, as a part of the time that is allowed for that: from 1 on it is too long. */
  readonly slowness: number;
  /** Looks at what has come and gone since the last time. */
  look(line: Line): void;
  /** Ends the stream and gives everything back. */
  evict(code: number): void;
}

/** What the message layer may hold of one connection. */
export interface MessageMemory extends MemoryBudget {
  /**
   * Says how many bytes the connection's streams hold beside its messages, unread and queued: they are part of what it takes of the memory
   * that is shared, and no part of `used`.
   *
   * @returns false when there is no room for them: as many count as before
   */
  cover(bytes: number): boolean;
  /** Nothing should be promised to the connection that may be taken up later. */
  readonly isScarce: boolean;
  /** Counts a stream of the peer that messages or requests are read from. @returns false when there are too many */
  openStream(): boolean;
  closeStream(): void;
  /** The stream holds something from now on, or nothing any more. */
  watch(held: HeldMemory): void;
  unwatch(held: HeldMemory): void;
}

/**
 * What each connection may hold whatever the others do, in bytes: so that the peers that fill the common budget cannot keep the small
 * requests of others out.
 */
export const OWN_SHARE: number = 256 * 1024;

/** Milliseconds between two looks at what is held. */
const LOOK_INTERVAL = 10_000;

/** Codes of NZ-WIRE-01 §7. */
const TIMEOUT = 8;
const OVER_BUDGET = 9;

/** A budget of its own. */
export function createMemoryBudget(maxBytes: number): MemoryBudget {
  let used = 0;
  return {
    get used(): number {
      return used;
    },
    take: (bytes) => {
      if (used + bytes > maxBytes) return false;
      used += bytes;
      return true;
    },
    give: (bytes) => {
      used -= bytes;
    },
  };
}

/** Bounds of {@link createMessageMemory}. */
export interface MessageBounds {
  readonly maxMessageBytes: number;
  readonly maxMessageStreams: number;
  /** Shared with other connections, beyond {@link OWN_SHARE}. */
  readonly shared?: SharedMemory | undefined;
  /** Connections of one group share as one. */
  readonly group?: string | undefined;
  /** Gives something else back that counts here. @returns false when there is nothing */
  readonly shed?: () => boolean;
  /** @defaultValue one that carries nothing else */
  readonly line?: () => Line;
  /** Without them nobody looks whether there is progress. */
  readonly timers?: Timers;
}

export function createMessageMemory(bounds: MessageBounds): MessageMemory {
  const { maxMessageBytes, maxMessageStreams, timers } = bounds;
  const own = createMemoryBudget(maxMessageBytes);
  const held = new Set<HeldMemory>();
  let streams = 0;
  let isTimed = false;
  const share = bounds.shared?.join({
    group: bounds.group,
    shed: () => {
      const victim = worst(held);
      victim?.evict(OVER_BUDGET);
      return victim !== undefined || bounds.shed?.() === true;
    },
  });
  /** Bytes taken of the shared memory. */
  let shared = 0;
  /** Held beside messages. */
  let beside = 0;
  const missing = (): number => Math.max(0, own.used + beside - OWN_SHARE) - shared;

  /** Gives back what is shared and no longer needed. */
  function giveShared(): void {
    const more = -missing();
    if (more <= 0) return;
    shared -= more;
    share?.give(more);
  }

  const target: TimerTarget = {
    onTimeout: (now) => {
      isTimed = false;
      const line = bounds.line?.() ?? NO_LINE;
      for (const one of [...held]) {
        one.look(line);
        if (one.slowness >= 1) one.evict(TIMEOUT);
      }
      setTimer(now);
    },
  };

  function setTimer(now: number | undefined): void {
    const isWanted = held.size > 0;
    if (timers === undefined || isWanted === isTimed) return;
    isTimed = isWanted;
    timers.set(target, isWanted ? (now ?? timers.now()) + LOOK_INTERVAL : undefined);
  }

  return {
    get used(): number {
      return own.used;
    },
    take: (bytes) => {
      if (!own.take(bytes)) return false;
      const more = missing();
      if (more <= 0 || share === undefined) return true;
      // Whoever gives way to it may have this connection take or give on the way: its streams may belong together.
      const isTaken = share.take(more);
      if (isTaken) shared += more;
      else own.give(bytes);
      giveShared();
      return isTaken;
    },
    give: (bytes) => {
      own.give(bytes);
      giveShared();
    },
    cover: (bytes) => {
      const before = beside;
      beside = bytes;
      const more = share === undefined ? 0 : missing();
      const isTaken = more <= 0 || share!.take(more);
      if (isTaken) shared += Math.max(0, more);
      // The connection may have ended meanwhile.
      else if (beside === bytes) beside = before;
      giveShared();
      return isTaken;
    },
    get isScarce(): boolean {
      return share?.isScarce ?? false;
    },
    openStream: () => {
      if (streams >= maxMessageStreams) return false;
      streams++;
      return true;
    },
    closeStream: () => {
      streams--;
    },
    watch: (one) => {
      held.add(one);
      setTimer(undefined);
    },
    unwatch: (one) => {
      held.delete(one);
      setTimer(undefined);
    },
  };
}

/** The slowest of them, the largest among equals. */
function worst(held: Iterable<HeldMemory>): HeldMemory | undefined {
  let found: HeldMemory | undefined;
  for (const one of held) {
    if (one.unfinished === 0) continue;
    const isWorse =
      found === undefined ||
      one.slowness > found.slowness ||
      (one.slowness === found.slowness && one.unfinished > found.unfinished);
    if (isWorse) found = one;
  }
  return found;
}
