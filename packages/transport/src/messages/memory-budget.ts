/** Bytes that may be held at once. Whoever takes some gives them back. */
export interface MemoryBudget {
  /** Bytes that are held now. */
  readonly used: number;
  /** @returns false when there is no room: nothing was taken then */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

/** What the message layer may hold of one connection. */
export interface MessageMemory extends MemoryBudget {
  /** Counts a stream of the peer that messages or requests are read from. @returns false when there are too many */
  openStream(): boolean;
  closeStream(): void;
}

/**
 * What each connection may hold whatever the others do, in bytes: so that the peers that fill the common budget cannot keep the small
 * requests of others out.
 */
export const OWN_SHARE: number = 256 * 1024;

/** A budget that several connections share. */
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
  readonly shared?: MemoryBudget | undefined;
}

export function createMessageMemory(bounds: MessageBounds): MessageMemory {
  const { maxMessageBytes, maxMessageStreams, shared } = bounds;
  const own = createMemoryBudget(maxMessageBytes);
  let streams = 0;
  const sharedPart = (used: number): number => Math.max(0, used - OWN_SHARE);
  return {
    get used(): number {
      return own.used;
    },
    take: (bytes) => {
      const before = own.used;
      if (!own.take(bytes)) return false;
      const more = sharedPart(own.used) - sharedPart(before);
      if (more === 0 || !shared || shared.take(more)) return true;
      own.give(bytes);
      return false;
    },
    give: (bytes) => {
      const before = own.used;
      own.give(bytes);
      shared?.give(sharedPart(before) - sharedPart(own.used));
    },
    openStream: () => {
      if (streams >= maxMessageStreams) return false;
      streams++;
      return true;
    },
    closeStream: () => {
      streams--;
    },
  };
}
