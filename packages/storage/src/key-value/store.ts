import { joinBytes, prefixEnd } from '../bytes.ts';
import type { Driver, DriverOperation, DriverView } from './driver.ts';
import type {
  BatchOperation,
  EntryIterator,
  IterateOptions,
  KeyValueStore,
  OperationOptions,
  Snapshot,
  StoreLimits,
  StoreStats,
  VerifyProblem,
  VerifyReport,
  WriteOptions,
} from './key-value-store.ts';
import { checkBatch, checkKey, checkValue, resolveLimits } from './limits.ts';
import { checkedName, encodeNames, encodeNamespace, namespaceLength } from './namespace.ts';
import type { PagedIterator } from './paged-iterator.ts';
import { type PhysicalRange, physicalRange } from './range.ts';
import { assertOpen, physicalKey, type Reading, read, type SharedState, walk } from './reading.ts';

// Large enough to amortise a page, small enough that a walk stays responsive to its signal.
const WALK_PAGE = 1_000;

// A report is to be read by a person; a store that is broken everywhere must not fill the memory with it.
const MAX_PROBLEMS = 1_000;

/** The one store of this package: namespaces, checks, limits and life cycle over a driver. */
export function createStore(driver: Driver, limits?: StoreLimits): KeyValueStore {
  const shared: SharedState = {
    driver,
    limits: resolveLimits(limits),
    iterators: new Set(),
    snapshots: new Set(),
    closing: undefined,
  };
  return new DriverStore(shared, []);
}

/** A way past the store for its own layers: physical keys with the prefix, checked by who calls. */
export interface DirectWriter {
  readonly prefix: Uint8Array;
  write(operations: Iterable<DriverOperation>, sync: boolean): Promise<void>;
}

/** The way past a store of this package; undefined for any other one. */
export function directWriter(store: KeyValueStore): DirectWriter | undefined {
  return store instanceof DriverStore ? store.direct() : undefined;
}

class DriverStore implements KeyValueStore {
  readonly isEncrypted = false;
  readonly #reading: Reading;
  readonly #path: readonly string[];

  constructor(shared: SharedState, path: readonly string[]) {
    this.#path = path;
    this.#reading = { shared, view: shared.driver, prefix: encodeNamespace(path), isDisposed: false };
  }

  direct(): DirectWriter {
    const { prefix, shared } = this.#reading;
    return {
      prefix,
      write: async (operations, sync) => {
        assertOpen(this.#reading);
        return shared.driver.write(operations, sync);
      },
    };
  }

  get(key: Uint8Array, options?: OperationOptions): Promise<Uint8Array | undefined> {
    return read(this.#reading, key, options);
  }

  iterate(options: IterateOptions = {}): EntryIterator {
    const { prefix } = this.#reading;
    return walk(this.#reading, physicalRange(prefix, options), prefix.length, options.signal);
  }

  async put(key: Uint8Array, value: Uint8Array, { sync = false, signal }: WriteOptions = {}): Promise<void> {
    assertOpen(this.#reading, signal);
    const { driver, limits } = this.#reading.shared;
    checkValue(value, limits);
    return driver.write([{ type: 'put', key: physicalKey(this.#reading, key), value }], sync);
  }

  async delete(key: Uint8Array, { sync = false, signal }: WriteOptions = {}): Promise<void> {
    assertOpen(this.#reading, signal);
    return this.#reading.shared.driver.write([{ type: 'del', key: physicalKey(this.#reading, key) }], sync);
  }

  async batch(
    operations: readonly BatchOperation[],
    { sync = false, signal }: WriteOptions = {},
  ): Promise<void> {
    assertOpen(this.#reading, signal);
    const { driver, limits } = this.#reading.shared;
    checkBatch(operations, limits);
    const physical = this.#physicalOperations(operations);
    if (physical.length > 0 || sync) await driver.write(physical, sync);
  }

  snapshot(): Snapshot {
    assertOpen(this.#reading);
    const { shared, prefix } = this.#reading;
    const view = shared.driver.snapshot();
    shared.snapshots.add(view);
    return new DriverSnapshot({ shared, view, prefix, isDisposed: false }, this.#path, async () => {
      if (shared.snapshots.delete(view)) await view.close();
    });
  }

  namespace(name: string): KeyValueStore {
    checkedName(name);
    return new DriverStore(this.#reading.shared, [...this.#path, name]);
  }

  async compact({ signal }: OperationOptions = {}): Promise<void> {
    assertOpen(this.#reading, signal);
    await this.#reading.shared.driver.compact();
  }

  async stats({ signal }: OperationOptions = {}): Promise<StoreStats> {
    let [entries, keyBytes, valueBytes] = [0, 0, 0];
    await this.#walkAll(signal, (key, value) => {
      entries++;
      keyBytes += key.length - (namespaceLength(key) ?? 0);
      valueBytes += value.length;
    });
    return { entries, keyBytes, valueBytes, storedBytes: await this.#reading.shared.driver.storedBytes() };
  }

  async verify({ signal }: OperationOptions = {}): Promise<VerifyReport> {
    let entries = 0;
    const problems: VerifyProblem[] = [];
    await this.#walkAll(signal, (key) => {
      entries++;
      const isKnown = namespaceLength(key) !== undefined;
      if (!isKnown && problems.length < MAX_PROBLEMS) problems.push({ code: 'STORE_CORRUPT', key });
    });
    return { entries, problems };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reading.isDisposed = true;
    const { shared } = this.#reading;
    if (this.#path.length > 0) return;
    shared.closing ??= closeShared(shared);
    await shared.closing;
  }

  #physicalOperations(operations: readonly BatchOperation[]): DriverOperation[] {
    const { shared, prefix } = this.#reading;
    const prefixes = new Map<readonly string[], Uint8Array>();
    return operations.map((operation) => {
      let namespace = prefix;
      if (operation.namespace !== undefined) {
        const known = prefixes.get(operation.namespace);
        namespace = known ?? encodeNamespace([...this.#path, ...operation.namespace]);
        if (known === undefined) prefixes.set(operation.namespace, namespace);
      }
      checkKey(operation.key, namespace.length, shared.limits);
      const key = joinBytes(namespace, operation.key);
      if (operation.type === 'delete') return { type: 'del', key };
      if (operation.type !== 'put') throw new TypeError('an operation is a put or a delete');
      checkValue(operation.value, shared.limits);
      return { type: 'put', key, value: operation.value };
    });
  }

  /** Visits this namespace and those below it. */
  async #walkAll(
    signal: AbortSignal | undefined,
    visit: (physicalKey: Uint8Array, value: Uint8Array) => void,
  ): Promise<void> {
    const names = encodeNames(this.#path);
    const range: PhysicalRange = {
      gte: names,
      lt: prefixEnd(names),
      reverse: false,
      limit: Number.POSITIVE_INFINITY,
    };
    await using entries = walk(this.#reading, range, 0, signal);
    for (;;) {
      const page = await entries.nextMany(WALK_PAGE);
      if (page.length === 0) return;
      for (const [key, value] of page) visit(key, value);
    }
  }
}

class DriverSnapshot implements Snapshot {
  readonly #reading: Reading;
  readonly #path: readonly string[];
  readonly #release: () => Promise<void>;

  constructor(reading: Reading, path: readonly string[], release: () => Promise<void>) {
    this.#reading = reading;
    this.#path = path;
    this.#release = release;
  }

  async get(key: Uint8Array, options?: OperationOptions): Promise<Uint8Array | undefined> {
    this.#assertHeld();
    return read(this.#reading, key, options);
  }

  iterate(options: IterateOptions = {}): EntryIterator {
    this.#assertHeld();
    const { prefix } = this.#reading;
    return walk(this.#reading, physicalRange(prefix, options), prefix.length, options.signal);
  }

  namespace(name: string): Snapshot {
    checkedName(name);
    const path = [...this.#path, name];
    const { shared, view } = this.#reading;
    const reading = { shared, view, prefix: encodeNamespace(path), isDisposed: false };
    return new DriverSnapshot(reading, path, async () => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reading.isDisposed = true;
    await this.#release();
  }

  #assertHeld(): void {
    const { shared, view } = this.#reading;
    if (!shared.snapshots.has(view)) this.#reading.isDisposed = true;
  }
}

/** In reverse of opening: iterators, snapshots, the driver. */
async function closeShared({ driver, iterators, snapshots }: SharedState): Promise<void> {
  await Promise.all([...iterators].map((iterator: PagedIterator) => iterator.interrupt()));
  const views: DriverView[] = [...snapshots];
  snapshots.clear();
  for (const view of views) await view.close();
  await driver.close();
}
