import type { DriverOperation } from './driver.ts';

type Write = (operations: Iterable<DriverOperation>, sync: boolean) => Promise<void>;

/** Writes that are made one at a time. */
export interface WriteQueue {
  readonly write: Write;
  /** Settles when no write is under way or waits. */
  drained(): Promise<void>;
  /** Settles with the write that is under way. */
  current(): Promise<void>;
}

interface Group {
  operations: DriverOperation[];
  bytes: number;
  sync: boolean;
  readonly written: Promise<void>;
  readonly settle: (result: Promise<void>) => void;
}

// A group is one atomic write below; beyond this it gains nothing and only holds memory.
const MAX_GROUP_BYTES = 4 * 1_024 * 1_024;

/**
 * Writes in the order of the calls, one write at a time: what comes while one is under way waits and then
 * goes as one group. So LevelDB's threads cannot reorder writes, and many small ones cost as one.
 */
export function createWriteQueue(write: Write): WriteQueue {
  const waiting: Group[] = [];
  let isWriting = false;
  let running: Promise<void> = Promise.resolve();
  let current: Promise<void> = Promise.resolve();

  const run = async (first: Promise<void>): Promise<void> => {
    await first.catch(ignore);
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      const result = write(group.operations, group.sync);
      current = result.catch(ignore);
      group.settle(result);
      await result.catch(ignore);
    }
    isWriting = false;
  };

  const enqueue: Write = (operations, sync) => {
    if (!isWriting) {
      isWriting = true;
      const result = write(operations, sync);
      current = result.catch(ignore);
      running = run(result);
      return result;
    }
    const last = waiting.at(-1);
    const made = kept(operations);
    const bytes = sizeOf(made);
    if (last === undefined || last.bytes + bytes > MAX_GROUP_BYTES) {
      const group = newGroup(made, bytes, sync);
      waiting.push(group);
      return group.written;
    }
    for (const operation of made) last.operations.push(operation);
    last.bytes += bytes;
    last.sync ||= sync;
    return last.written;
  };
  return { write: enqueue, drained: () => running, current: () => current };
}

/** The operations as they will be when their turn comes. */
export function kept(operations: Iterable<DriverOperation>): readonly DriverOperation[] {
  return Array.isArray(operations) ? operations : Array.from(operations, copyOf);
}

function copyOf(operation: DriverOperation): DriverOperation {
  const key = new Uint8Array(operation.key);
  return operation.type === 'put'
    ? { type: 'put', key, value: new Uint8Array(operation.value) }
    : { type: 'del', key };
}

function newGroup(operations: readonly DriverOperation[], bytes: number, sync: boolean): Group {
  let settle: Group['settle'] = ignore;
  const written = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { operations: [...operations], bytes, sync, written, settle };
}

function sizeOf(operations: readonly DriverOperation[]): number {
  let bytes = 0;
  for (const operation of operations) {
    bytes += operation.key.length + (operation.type === 'put' ? operation.value.length : 0);
  }
  return bytes;
}

function ignore(): void {}
