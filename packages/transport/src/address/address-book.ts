import { isPeerId, type PeerId } from '@nzcore/identity';
import { backOffDelay } from '../manager/back-off.ts';
import { type Clock, type Random, systemClock } from '../time/clock.ts';
import { parseAddress, tryParseAddress } from './address.ts';
import { decodePeerRecord, encodePeerRecord, type PeerRecord } from './address-record.ts';
import { ipScope } from './ip.ts';

/** The part of a key-value store that the address book needs; `KeyValueStore` of `@nzcore/storage` has it. */
export interface AddressBookStore {
  put(key: Uint8Array, value: Uint8Array): Promise<unknown>;
  delete(key: Uint8Array): Promise<unknown>;
  iterate(options?: { readonly prefix?: Uint8Array }): AsyncIterable<readonly [Uint8Array, Uint8Array]>;
}

/**
 * Who says that an address is a peer's: the program's owner, a connection that was authenticated there, or somebody.
 * Only the last may be wrong or hostile.
 */
export type AddressSource = 'manual' | 'proven' | 'learned';

/** One address of a peer and how it did. Times are milliseconds since the epoch, 0 for never. */
export interface AddressEntry {
  /** Canonical multiaddr text without `/p2p`. */
  readonly address: string;
  readonly source: AddressSource;
  readonly lastSuccess: number;
  /** Failures since the last success. */
  readonly failures: number;
  /** Not dialled before this time while there are others. */
  readonly retryAt: number;
  /** When a learned address is forgotten. */
  readonly expiresAt: number;
}

/** Where addresses come from and how long they are remembered. */
export interface AddAddressOptions {
  /** @defaultValue `learned` */
  readonly source?: Exclude<AddressSource, 'proven'>;
  /** Milliseconds until a learned address is forgotten. @defaultValue 24 hours, which is the longest */
  readonly ttl?: number;
}

/** What an address book is made of. */
export interface AddressBookOptions {
  readonly store?: AddressBookStore;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Peers remembered; above it claims are forgotten first, then the longest unused, manual ones never. @defaultValue 4,096 */
  readonly maxPeers?: number;
  /**
   * Takes loopback and link-local addresses from strangers too. They are meaningless beyond the machine or the link, and
   * dialling them on somebody's word would let strangers probe this machine's own services.
   * @defaultValue false
   */
  readonly allowLocal?: boolean;
  /** The store failed; what is in memory goes on being used. */
  readonly onError?: (error: unknown) => void;
}

/** What is known about how to reach peers. Reads are from memory; changes are written behind. */
export interface AddressBook {
  /** Reads the store. @throws what the store throws */
  load(): Promise<void>;
  /**
   * Remembers addresses of a peer (with or without its `/p2p`). Learned ones that are malformed, name another peer or
   * cannot be reached from anywhere are dropped silently; manual ones throw.
   * @returns how many were taken
   * @throws TransportError `INVALID_ADDRESS` for a manual one
   */
  add(peer: PeerId, addresses: readonly string[], options?: AddAddressOptions): number;
  /** Forgets one address of a peer, or the whole peer. */
  remove(peer: PeerId, address?: string): void;
  /** Addresses in no order; dialling orders them. */
  addresses(peer: PeerId): readonly AddressEntry[];
  /** Peers with at least one address, the longest unused first. */
  peers(): readonly PeerId[];
  /** X25519 static key that the peer proved last, for a handshake with one round trip less. */
  staticKey(peer: PeerId): Uint8Array | undefined;
  recordSuccess(peer: PeerId, address: string, staticKey: Uint8Array): void;
  recordFailure(peer: PeerId, address: string): void;
  forgetStaticKey(peer: PeerId): void;
  /** Resolves when everything is in the store. */
  flush(): Promise<void>;
}

/** Longest life of an address that somebody claimed. */
const LEARNED_TTL = 24 * 3_600_000;
/** An address that worked, and has failed ever since, is forgotten after 30 days. */
const PROVEN_TTL = 30 * 24 * 3_600_000;
/** Of one peer: enough for a few transports on two families and two networks. */
const MAX_ADDRESSES = 16;
/** Of those, from strangers: they can never push out what was proven or configured. */
const MAX_LEARNED = 8;

/** Creates an address book; without a store it lives in memory only. */
export function createAddressBook(options: AddressBookOptions = {}): AddressBook {
  return new StoredAddressBook(options);
}

class StoredAddressBook implements AddressBook {
  readonly #store: AddressBookStore | undefined;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #maxPeers: number;
  readonly #allowLocal: boolean;
  readonly #onError: (error: unknown) => void;
  /** In order of use, the longest unused first. */
  readonly #records = new Map<PeerId, PeerRecord>();
  readonly #dirty = new Set<PeerId>();
  #writing: Promise<void> | undefined;

  constructor(options: AddressBookOptions) {
    this.#store = options.store;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#maxPeers = options.maxPeers ?? 4_096;
    this.#allowLocal = options.allowLocal ?? false;
    this.#onError = options.onError ?? ((): void => {});
  }

  async load(): Promise<void> {
    if (!this.#store) return;
    const loaded: [PeerId, PeerRecord][] = [];
    for await (const [key, value] of this.#store.iterate({ prefix: STORE_PREFIX })) {
      const peer = new TextDecoder().decode(key.subarray(STORE_PREFIX.length));
      const record = decodePeerRecord(value);
      // A damaged record is one peer to find again, not a reason to stop.
      if (record && isPeerId(peer)) loaded.push([peer, record]);
    }
    loaded.sort(([, a], [, b]) => a.usedAt - b.usedAt);
    for (const [peer, record] of loaded.slice(-this.#maxPeers)) {
      if (!this.#records.has(peer)) this.#records.set(peer, record);
    }
  }

  add(peer: PeerId, addresses: readonly string[], options: AddAddressOptions = {}): number {
    const { source = 'learned', ttl = LEARNED_TTL } = options;
    const expiresAt =
      source === 'manual' ? Number.MAX_SAFE_INTEGER : this.#now() + Math.min(ttl, LEARNED_TTL);
    let taken = 0;
    for (const text of addresses.slice(0, source === 'manual' ? MAX_ADDRESSES : MAX_LEARNED)) {
      const address = source === 'manual' ? manualAddress(peer, text) : this.#learnedAddress(peer, text);
      if (address === undefined) continue;
      if (this.#put(peer, { ...FRESH, address, source, expiresAt })) taken++;
    }
    return taken;
  }

  #learnedAddress(peer: PeerId, text: string): string | undefined {
    const parsed = tryParseAddress(text);
    if (!parsed || (parsed.peer !== undefined && parsed.peer !== peer)) return undefined;
    if (parsed.kind !== 'memory' && parsed.port === 0) return undefined;
    const scope = parsed.ip ? ipScope(parsed.ip) : LOCALHOST.test(parsed.host) ? 'loopback' : 'global';
    if (scope === 'unusable') return undefined;
    if ((scope === 'loopback' || scope === 'link-local') && !this.#allowLocal) return undefined;
    return parsed.text;
  }

  #put(peer: PeerId, entry: AddressEntry): boolean {
    const record = this.#records.get(peer) ?? { entries: [], usedAt: this.#now(), staticKey: undefined };
    const entries = record.entries.filter(({ expiresAt }) => expiresAt > this.#now());
    const at = entries.findIndex(({ address }) => address === entry.address);
    if (at >= 0) entries[at] = merge(entries[at]!, entry);
    else if (!makeRoom(entries, entry)) return false;
    else entries.push(entry);
    this.#save(peer, { ...record, entries });
    return true;
  }

  remove(peer: PeerId, address?: string): void {
    const record = this.#records.get(peer);
    if (!record) return;
    const text = address === undefined ? undefined : parseAddress(address).text;
    const entries = text === undefined ? [] : record.entries.filter((entry) => entry.address !== text);
    if (entries.length > 0) this.#save(peer, { ...record, entries });
    else this.#forget(peer);
  }

  addresses(peer: PeerId): readonly AddressEntry[] {
    const now = this.#now();
    return this.#records.get(peer)?.entries.filter(({ expiresAt }) => expiresAt > now) ?? [];
  }

  peers(): readonly PeerId[] {
    return [...this.#records.keys()].filter((peer) => this.addresses(peer).length > 0);
  }

  staticKey(peer: PeerId): Uint8Array | undefined {
    return this.#records.get(peer)?.staticKey;
  }

  recordSuccess(peer: PeerId, address: string, staticKey: Uint8Array): void {
    const text = parseAddress(address).text;
    const entry = { ...FRESH, address: text, source: 'proven' as const, lastSuccess: this.#now() };
    this.#put(peer, { ...entry, expiresAt: Number.MAX_SAFE_INTEGER });
    const record = this.#records.get(peer);
    if (record) this.#save(peer, { ...record, staticKey: new Uint8Array(staticKey), usedAt: this.#now() });
  }

  recordFailure(peer: PeerId, address: string): void {
    const record = this.#records.get(peer);
    if (!record) return;
    const entries = record.entries.flatMap((entry) => {
      if (entry.address !== address) return [entry];
      const failures = entry.failures + 1;
      // What only a stranger claimed and never worked is not kept for long.
      if (entry.source === 'learned' && failures >= 5) return [];
      if (entry.source === 'proven' && failures >= 10 && entry.lastSuccess < this.#now() - PROVEN_TTL)
        return [];
      return [{ ...entry, failures, retryAt: this.#now() + backOffDelay(failures, this.#random) }];
    });
    this.#save(peer, { ...record, entries });
  }

  forgetStaticKey(peer: PeerId): void {
    const record = this.#records.get(peer);
    if (record?.staticKey) this.#save(peer, { ...record, staticKey: undefined });
  }

  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  #now(): number {
    return this.#clock.now();
  }

  #save(peer: PeerId, record: PeerRecord): void {
    this.#records.delete(peer);
    this.#records.set(peer, record);
    this.#touch(peer);
    if (this.#records.size <= this.#maxPeers) return;
    this.#forget(this.#leastWorthy() ?? peer);
  }

  /** Strangers' claims go first, so that a flood of them cannot make this peer forget whom it has met. */
  #leastWorthy(): PeerId | undefined {
    const best = ['learned', 'proven'] as const;
    for (const limit of best) {
      for (const [peer, { entries }] of this.#records) {
        const isWorthy = entries.some(
          ({ source }) => source === 'manual' || (source === 'proven' && limit === 'learned'),
        );
        if (!isWorthy) return peer;
      }
    }
    return undefined;
  }

  #forget(peer: PeerId): void {
    this.#records.delete(peer);
    this.#touch(peer);
  }

  #touch(peer: PeerId): void {
    if (!this.#store) return;
    this.#dirty.add(peer);
    this.#writing ??= this.#write(this.#store).finally(() => {
      this.#writing = undefined;
    });
  }

  async #write(store: AddressBookStore): Promise<void> {
    await Promise.resolve();
    for (const peer of this.#dirty) {
      this.#dirty.delete(peer);
      const record = this.#records.get(peer);
      try {
        if (record) await store.put(storeKey(peer), encodePeerRecord(record));
        else await store.delete(storeKey(peer));
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}

/** Names that resolvers answer with loopback (RFC 6761 §6.3). */
const LOCALHOST = /(?:^|\.)localhost$/;
const FRESH = { lastSuccess: 0, failures: 0, retryAt: 0 } as const;
const STORE_PREFIX: Uint8Array = new TextEncoder().encode('peer/');

function storeKey(peer: PeerId): Uint8Array {
  return new TextEncoder().encode(`peer/${peer}`);
}

function manualAddress(peer: PeerId, text: string): string {
  const parsed = parseAddress(text);
  if (parsed.peer !== undefined && parsed.peer !== peer) {
    throw new TypeError('the address names another peer');
  }
  return parsed.text;
}

/** The better source wins, and what is known about its success stays. */
function merge(old: AddressEntry, next: AddressEntry): AddressEntry {
  const order: readonly AddressSource[] = ['learned', 'proven', 'manual'];
  const source = order.indexOf(next.source) > order.indexOf(old.source) ? next.source : old.source;
  const expiresAt = Math.max(old.expiresAt, next.expiresAt);
  // A claim does not undo a failure; a success does.
  const history = next.lastSuccess > 0 ? next : old;
  return { ...history, address: old.address, source, expiresAt };
}

/** Drops the least worthy learned or long unproven entry when there are too many. */
function makeRoom(entries: AddressEntry[], entry: AddressEntry): boolean {
  const learned = entries.filter(({ source }) => source === 'learned');
  const isFull = entries.length >= MAX_ADDRESSES;
  if (!isFull && (entry.source !== 'learned' || learned.length < MAX_LEARNED)) return true;
  const victims = entry.source === 'learned' ? learned : entries.filter(({ source }) => source !== 'manual');
  const rankOf = (one: AddressEntry): number => (one.source === 'learned' ? 0 : 1);
  victims.sort((a, b) => rankOf(a) - rankOf(b) || b.failures - a.failures || a.lastSuccess - b.lastSuccess);
  const victim = victims[0];
  // A stranger's new claim replaces only another claim, and only one that has failed.
  if (!victim || (entry.source === 'learned' && victim.failures === 0)) return false;
  entries.splice(entries.indexOf(victim), 1);
  return true;
}
