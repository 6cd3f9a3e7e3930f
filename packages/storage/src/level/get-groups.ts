/** What reads a group of keys, or one. */
export interface GroupSource {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  getMany(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
}

/** Gets that are gathered; `flush` starts those that still wait for the end of the turn. */
export interface GetGroups {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  flush(): void;
}

interface Waiting {
  readonly key: Uint8Array;
  readonly resolve: (value: Uint8Array | Promise<Uint8Array | undefined> | undefined) => void;
}

// A group is one task of one thread: enough that crossing into the database costs little, and not so much that the
// other threads of the pool have nothing to do.
const MAX_GROUP = 64;

/**
 * Gets of the same turn as few calls of the database: each call costs a task, a promise of the binding and a wake-up
 * of the event loop, together more than reading a small value.
 */
export function createGetGroups(source: GroupSource): GetGroups {
  let waiting: Waiting[] = [];

  const flush = (): void => {
    const gets = waiting;
    waiting = [];
    const groups = Math.ceil(gets.length / MAX_GROUP);
    const size = Math.ceil(gets.length / groups);
    for (let from = 0; from < gets.length; from += size) start(source, gets.slice(from, from + size));
  };

  return {
    get: (key) =>
      new Promise((resolve) => {
        if (waiting.push({ key, resolve }) === 1) queueMicrotask(flush);
      }),
    flush,
  };
}

function start(source: GroupSource, group: readonly Waiting[]): void {
  const [first] = group;
  if (first !== undefined && group.length === 1) {
    first.resolve(source.get(first.key));
    return;
  }
  source.getMany(group.map(({ key }) => key)).then(
    (values) => {
      for (const [i, { resolve }] of group.entries()) resolve(values[i]);
    },
    () => {
      // One damaged block fails them all: each is asked for alone, and tells its own reason.
      for (const { key, resolve } of group) resolve(source.get(key));
    },
  );
}
