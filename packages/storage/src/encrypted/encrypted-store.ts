import type { DriverOperation } from '../key-value/driver.ts';
import type {
  BatchOperation,
  EntryIterator,
  IterateOptions,
  KeyValueStore,
  OperationOptions,
  Snapshot,
  StoreStats,
  VerifyReport,
  WriteOptions,
} from '../key-value/key-value-store.ts';
import { checkBatch, checkKey, checkValue } from '../key-value/limits.ts';
import { checkedName } from '../key-value/namespace.ts';
import type { DirectWriter } from '../key-value/store.ts';
import {
  assertEncryptedOpen,
  commit,
  type EncryptedState,
  readOldRecord,
  readRecord,
} from './encrypted-state.ts';
import { statsOf, verifyRecords } from './encrypted-verify.ts';
import { walkDecrypted } from './encrypted-walk.ts';
import type { SealedWrite, StoreCheckpoint, Versions } from './freshness.ts';
import type { KeySource } from './key-source.ts';
import type { RecordNamespace } from './record.ts';
import { type RotationOptions, type RotationReport, rotateDataKey } from './rotation.ts';

/** A store whose values, and keys if they are blinded, are readable with its key only. */
export interface EncryptedStore extends KeyValueStore {
  /** Whether a rotation was begun and not ended, by this process or by one before. */
  isRotating(): boolean;
  /**
   * Seals everything with a fresh data key while reads and writes go on, then forgets the old one.
   * After a crash, or an abort, calling it again goes on where it was. A damaged record does not stop it, see
   * {@link RotationReport.problems}.
   */
  rotateKey(options?: RotationOptions): Promise<RotationReport>;
  /** Wraps the data keys under another key: the new passphrase's. No record is touched. */
  rewrap(key: KeySource): Promise<void>;
  /** How far the store has come; undefined for a store without freshness. */
  checkpoint(): StoreCheckpoint | undefined;
}

/** The root with what only the root can do. */
export function createEncryptedRoot(state: EncryptedState): EncryptedStore {
  const handle = new EncryptedHandle(state, []);
  let rotation: Promise<RotationReport> | undefined;
  return Object.assign(handle, {
    isRotating: () => state.keyring.isRotating,
    rotateKey: (options: RotationOptions = {}) => {
      rotation ??= rotateDataKey(state, options).finally(() => {
        rotation = undefined;
      });
      return rotation;
    },
    rewrap: (key: KeySource) => state.gate.hold(() => state.keyring.rewrap(key)),
    checkpoint: () => state.freshness?.checkpoint,
  });
}

class EncryptedHandle implements KeyValueStore {
  readonly isEncrypted = true;
  readonly #state: EncryptedState;
  readonly #namespace: RecordNamespace;
  #isDisposed = false;

  constructor(state: EncryptedState, path: readonly string[]) {
    this.#state = state;
    this.#namespace = state.codec.namespace(path);
  }

  async get(key: Uint8Array, options?: OperationOptions): Promise<Uint8Array | undefined> {
    const { codec, limits, records, freshness } = this.#state;
    this.#assertOpen(options?.signal);
    checkKey(key, this.#namespace.clearLength, limits);
    const physicalKey = codec.physicalKey(this.#namespace, key);
    const record = await (freshness === undefined
      ? records.get(physicalKey)
      : readRecord(this.#state, freshness, physicalKey));
    this.#assertOpen();
    return record === undefined ? undefined : codec.openValue(this.#namespace, physicalKey, record);
  }

  iterate(options: IterateOptions = {}): EntryIterator {
    this.#assertOpen();
    const { records, freshness } = this.#state;
    return walkDecrypted(
      { state: this.#state, reader: records, namespace: this.#namespace, versions: freshness?.versions },
      options,
    );
  }

  async put(key: Uint8Array, value: Uint8Array, { sync = false, signal }: WriteOptions = {}): Promise<void> {
    this.#assertOpen(signal);
    const { codec, gate, limits, records, freshness } = this.#state;
    checkKey(key, this.#namespace.clearLength, limits);
    checkValue(value, limits);
    if (freshness !== undefined) return this.batch([{ type: 'put', key, value }], { sync });
    const physicalKey = codec.physicalKey(this.#namespace, key);
    return gate.pass(() => {
      const record = codec.seal(this.#namespace, physicalKey, [key, value]);
      return records.put(physicalKey, record, { sync });
    });
  }

  delete(key: Uint8Array, options: WriteOptions = {}): Promise<void> {
    return this.batch([{ type: 'delete', key }], options);
  }

  async batch(
    operations: readonly BatchOperation[],
    { sync = false, signal }: WriteOptions = {},
  ): Promise<void> {
    this.#assertOpen(signal);
    const { gate, freshness, records, limits, direct } = this.#state;
    checkBatch(operations, limits);
    if (freshness !== undefined) {
      await gate.hold(() => commit(this.#state, this.#sealed(operations).map(writeOf), sync));
      return;
    }
    await gate.pass(() => {
      if (direct === undefined) return records.batch(this.#sealed(operations), { sync });
      if (operations.length === 0 && !sync) return Promise.resolve();
      return direct.write(this.#sealedFor(direct, operations), sync);
    });
  }

  snapshot(): Snapshot {
    this.#assertOpen();
    const { records, freshness } = this.#state;
    return new EncryptedSnapshot(this.#state, this.#namespace, records.snapshot(), freshness?.versions);
  }

  namespace(name: string): KeyValueStore {
    checkedName(name);
    return new EncryptedHandle(this.#state, [...this.#namespace.path, name]);
  }

  async compact(options: OperationOptions = {}): Promise<void> {
    this.#assertOpen(options.signal);
    await this.#state.base.compact(options);
  }

  async stats({ signal }: OperationOptions = {}): Promise<StoreStats> {
    this.#assertOpen(signal);
    return statsOf(this.#state, this.#namespace.path, signal);
  }

  async verify({ signal }: OperationOptions = {}): Promise<VerifyReport> {
    this.#assertOpen(signal);
    return verifyRecords(this.#state, this.#namespace.path, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    if (this.#namespace.path.length > 0) return;
    this.#state.closing ??= closeState(this.#state);
    await this.#state.closing;
  }

  #assertOpen(signal?: AbortSignal): void {
    assertEncryptedOpen(this.#state, this.#isDisposed, signal);
  }

  /** The same as {@link #sealed}, one after another in the same memory, which whoever writes them copies. */
  *#sealedFor(
    { prefix }: DirectWriter,
    operations: readonly BatchOperation[],
  ): Generator<DriverOperation, void> {
    const { codec, limits } = this.#state;
    const lookUp = this.#namespaceLookup();
    const writer = codec.writer(prefix);
    for (const operation of operations) {
      const namespace = lookUp(operation.namespace);
      checkKey(operation.key, namespace.clearLength, limits);
      const key = writer.place(namespace, operation.key);
      if (operation.type === 'put') {
        checkValue(operation.value, limits);
        yield { type: 'put', key, value: writer.seal(namespace, [operation.key, operation.value]) };
      } else if (operation.type === 'delete') yield { type: 'del', key };
      else throw new TypeError('an operation is a put or a delete');
    }
  }

  #namespaceLookup(): (path: readonly string[] | undefined) => RecordNamespace {
    const { codec } = this.#state;
    const namespaces = new Map<readonly string[], RecordNamespace>();
    return (path) => {
      if (path === undefined) return this.#namespace;
      const known = namespaces.get(path);
      if (known !== undefined) return known;
      const namespace = codec.namespace([...this.#namespace.path, ...path]);
      namespaces.set(path, namespace);
      return namespace;
    };
  }

  /** The operations on the records below; inside of the gate, for the data key must be the current one. */
  #sealed(operations: readonly BatchOperation[]): BatchOperation[] {
    const { codec, limits } = this.#state;
    const lookUp = this.#namespaceLookup();
    return operations.map((operation): BatchOperation => {
      const namespace = lookUp(operation.namespace);
      checkKey(operation.key, namespace.clearLength, limits);
      const key = codec.physicalKey(namespace, operation.key);
      if (operation.type === 'delete') return { type: 'delete', key };
      if (operation.type !== 'put') throw new TypeError('an operation is a put or a delete');
      checkValue(operation.value, limits);
      return { type: 'put', key, value: codec.seal(namespace, key, [operation.key, operation.value]) };
    });
  }
}

function writeOf(operation: BatchOperation): SealedWrite {
  return { key: operation.key, record: operation.type === 'put' ? operation.value : undefined };
}

class EncryptedSnapshot implements Snapshot {
  readonly #state: EncryptedState;
  readonly #namespace: RecordNamespace;
  readonly #records: Snapshot;
  readonly #versions: Versions | undefined;
  readonly #isRoot: boolean;

  constructor(
    state: EncryptedState,
    namespace: RecordNamespace,
    records: Snapshot,
    versions: Versions | undefined,
    isRoot = true,
  ) {
    this.#state = state;
    this.#namespace = namespace;
    this.#records = records;
    this.#versions = versions;
    this.#isRoot = isRoot;
  }

  async get(key: Uint8Array, options?: OperationOptions): Promise<Uint8Array | undefined> {
    const { codec, limits } = this.#state;
    assertEncryptedOpen(this.#state, false, options?.signal);
    checkKey(key, this.#namespace.clearLength, limits);
    const physicalKey = codec.physicalKey(this.#namespace, key);
    const record = await readOldRecord(this.#records, this.#versions, physicalKey, options?.signal);
    assertEncryptedOpen(this.#state, false);
    return record === undefined ? undefined : codec.openValue(this.#namespace, physicalKey, record);
  }

  iterate(options: IterateOptions = {}): EntryIterator {
    return walkDecrypted(
      { state: this.#state, reader: this.#records, namespace: this.#namespace, versions: this.#versions },
      options,
    );
  }

  namespace(name: string): Snapshot {
    checkedName(name);
    const namespace = this.#state.codec.namespace([...this.#namespace.path, name]);
    return new EncryptedSnapshot(this.#state, namespace, this.#records, this.#versions, false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isRoot) await this.#records[Symbol.asyncDispose]();
  }
}

/** Iterations first, then the base store with its writes under way, at last the keys. */
async function closeState({ iterators, base, codec, keyring }: EncryptedState): Promise<void> {
  await Promise.all([...iterators].map((iterator) => iterator.interrupt()));
  try {
    await base[Symbol.asyncDispose]();
  } finally {
    codec.dispose();
    keyring.dispose();
  }
}
