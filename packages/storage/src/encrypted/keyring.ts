import { hkdf, randomBytes, ready } from '@nzcore/crypto';
import { StorageError } from '../errors.ts';
import { KEY_BYTES, type KeySource, useKey } from './key-source.ts';
import {
  decodeKeyring,
  encodeKeyring,
  type KeyringContent,
  type KeyringKind,
  MAX_DATA_KEYS,
} from './keyring-codec.ts';

/** Where a keyring is kept; `write` replaces it as a whole and lasts when it resolves. */
export interface KeyringSlot {
  read(): Promise<Uint8Array | undefined>;
  write(bytes: Uint8Array): Promise<void>;
}

/** What a keyring is opened with. */
export interface KeyringOptions {
  readonly kind: KeyringKind;
  readonly key: KeySource;
  /** Makes one where none is, with these flags. */
  readonly create: boolean;
  readonly flags: number;
  /** Whether there is data without a keyring, which must not get a new one. */
  readonly hasData: () => Promise<boolean>;
}

/**
 * The data keys of a store, wrapped under the caller's key: changing that key rewrites this and nothing else,
 * and a data key is replaced while the old one still opens what it sealed.
 */
export class Keyring {
  readonly #slot: KeyringSlot;
  readonly #key: Uint8Array;
  #content: KeyringContent;
  // Snapshots may still need what a rotation has dropped.
  readonly #retired = new Map<number, Uint8Array>();

  private constructor(slot: KeyringSlot, key: Uint8Array, content: KeyringContent) {
    this.#slot = slot;
    this.#key = key;
    this.#content = content;
  }

  /** @throws StorageError `WRONG_KEY`, `STORE_CORRUPT`, `STORE_MISSING`, `UNSUPPORTED_FORMAT` */
  static async open(slot: KeyringSlot, options: KeyringOptions): Promise<Keyring> {
    await ready();
    const key = useKey(options.key, (bytes) => bytes.slice());
    try {
      const bytes = await slot.read();
      if (bytes !== undefined) return new Keyring(slot, key, decodeKeyring(bytes, key, options.kind));
      if (await options.hasData()) {
        throw new StorageError('STORE_CORRUPT', 'there is data, but its keyring is missing');
      }
      if (!options.create) throw new StorageError('STORE_MISSING', 'there is no encrypted store');
      const keyring = new Keyring(slot, key, newContent(options));
      await keyring.#save(keyring.#content);
      return keyring;
    } catch (error) {
      key.fill(0);
      throw error;
    }
  }

  get storeId(): Uint8Array {
    return this.#content.storeId;
  }

  get flags(): number {
    return this.#content.flags;
  }

  /** The id of the key that new data is sealed with. */
  get currentId(): number {
    return this.#content.currentId;
  }

  /** Whether data may still be sealed with an older key. */
  get isRotating(): boolean {
    return this.#content.dataKeys.size > 1;
  }

  /** Whether there is a data key of this id. */
  has(id: number): boolean {
    return this.#content.dataKeys.has(id) || this.#retired.has(id);
  }

  /** A key derived from the data key `id`; the caller's to zero. */
  derive(id: number, info: Uint8Array): Uint8Array {
    const dataKey = this.#content.dataKeys.get(id) ?? this.#retired.get(id);
    if (dataKey === undefined) throw new StorageError('STORE_CORRUPT', 'there is no such data key');
    return hkdf('sha256', dataKey, { salt: this.storeId, info, length: KEY_BYTES });
  }

  /** A key derived from the index key, which no rotation changes; the caller's to zero. */
  deriveIndexKey(info: Uint8Array): Uint8Array {
    return hkdf('sha256', this.#content.indexKey, { salt: this.storeId, info, length: KEY_BYTES });
  }

  /** Adds a new data key, which is the current one when this resolves. */
  async addDataKey(): Promise<void> {
    const { dataKeys, currentId } = this.#content;
    if (dataKeys.size >= MAX_DATA_KEYS) {
      throw new StorageError('STORE_CORRUPT', 'too many rotations were begun and not ended');
    }
    const id = currentId + 1;
    await this.#save({
      ...this.#content,
      currentId: id,
      dataKeys: new Map(dataKeys).set(id, randomBytes(KEY_BYTES)),
    });
  }

  /** Removes every data key but the current one from the disk; what is open goes on reading. */
  async dropOldKeys(): Promise<void> {
    const { dataKeys, currentId } = this.#content;
    await this.#save({ ...this.#content, dataKeys: new Map([[currentId, dataKeys.get(currentId)!]]) });
    for (const [id, dataKey] of dataKeys) if (id !== currentId) this.#retired.set(id, dataKey);
  }

  /** Wraps the same keys under another key; from then on only that one opens the store. */
  async rewrap(source: KeySource): Promise<void> {
    const key = useKey(source, (bytes) => bytes.slice());
    await this.#slot.write(encodeKeyring(this.#content, key));
    this.#key.set(key);
    key.fill(0);
  }

  /** Zeroes all keys. */
  dispose(): void {
    this.#key.fill(0);
    this.#content.indexKey.fill(0);
    for (const dataKey of this.#content.dataKeys.values()) dataKey.fill(0);
    for (const dataKey of this.#retired.values()) dataKey.fill(0);
  }

  async #save(content: KeyringContent): Promise<void> {
    await this.#slot.write(encodeKeyring(content, this.#key));
    this.#content = content;
  }
}

function newContent({ kind, flags }: KeyringOptions): KeyringContent {
  return {
    kind,
    flags,
    storeId: randomBytes(16),
    indexKey: randomBytes(KEY_BYTES),
    currentId: 1,
    dataKeys: new Map([[1, randomBytes(KEY_BYTES)]]),
  };
}
