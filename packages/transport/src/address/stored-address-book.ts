import { isPeerId, type PeerId } from '@nzcore/identity';
import { type Clock, type Random, systemClock } from '../time/clock.ts';
import { WriteBehind } from '../write-behind.ts';
import { parseAddress, tryParseAddress } from './address.ts';
import type { AddAddressOptions, AddressBook, AddressBookOptions, AddressEntry } from './address-book.ts';
import { failedEntry, MAX_ADDRESSES, MAX_LEARNED, makeRoom, mergeEntries } from './address-entries.ts';
import { decodePeerRecord, encodePeerRecord, type PeerRecord } from './address-record.ts';
import { isAddressWithinReach, type Reach, reachOf } from './reach.ts';

/** Longest life of an address that somebody claimed. */
const LEARNED_TTL = 24 * 3_600_000;
const FRESH = { lastSuccess: 0, failures: 0, retryAt: 0 } as const;

/** The address book in memory, stored behind. */
export class StoredAddressBook implements AddressBook {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #maxPeers: number;
  readonly #allowLocal: boolean;
  /** In order of use, the longest unused first. */
  readonly #records = new Map<PeerId, PeerRecord>();
  readonly #stored: WriteBehind;

  constructor(options: AddressBookOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#maxPeers = options.maxPeers ?? 4_096;
    this.#allowLocal = options.allowLocal ?? false;
    this.#stored = new WriteBehind({
      store: options.store,
      prefix: 'peer/',
      encode: (peer) => {
        const record = this.#records.get(peer as PeerId);
        return record && encodePeerRecord(record);
      },
      onError: options.onError ?? ((): void => {}),
    });
  }

  async load(): Promise<void> {
    const loaded: [PeerId, PeerRecord][] = [];
    for await (const [peer, value] of this.#stored.load()) {
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
    const isManual = source === 'manual';
    const expiresAt = isManual ? Number.MAX_SAFE_INTEGER : this.#now() + Math.min(ttl, LEARNED_TTL);
    const reach = isManual || this.#allowLocal ? 'loopback' : reachOf(tryParseAddress(options.toldBy ?? ''));
    let taken = 0;
    for (const text of addresses.slice(0, isManual ? MAX_ADDRESSES : MAX_LEARNED)) {
      const address = isManual ? manualAddress(peer, text) : learnedAddress(peer, text, reach);
      if (address === undefined) continue;
      if (this.#put(peer, { ...FRESH, address, source, expiresAt, reach })) taken++;
    }
    return taken;
  }

  #put(peer: PeerId, entry: AddressEntry): boolean {
    const record = this.#records.get(peer) ?? { entries: [], usedAt: this.#now(), staticKey: undefined };
    const entries = record.entries.filter(({ expiresAt }) => expiresAt > this.#now());
    const at = entries.findIndex(({ address }) => address === entry.address);
    if (at >= 0) entries[at] = mergeEntries(entries[at]!, entry);
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

  recordSuccess(peer: PeerId, address: string, staticKey: Uint8Array, reach: Reach = 'loopback'): void {
    const text = parseAddress(address).text;
    this.#put(peer, {
      ...FRESH,
      address: text,
      source: 'proven',
      lastSuccess: this.#now(),
      expiresAt: Number.MAX_SAFE_INTEGER,
      // Counts when the address is not known any more: what a stranger told may have run out while it was dialled.
      reach,
    });
    const record = this.#records.get(peer);
    if (record) this.#save(peer, { ...record, staticKey: new Uint8Array(staticKey), usedAt: this.#now() });
  }

  recordFailure(peer: PeerId, address: string): void {
    const record = this.#records.get(peer);
    if (!record) return;
    const entries = record.entries.flatMap((entry) => {
      if (entry.address !== address) return [entry];
      return failedEntry(entry, { now: this.#now(), random: this.#random }) ?? [];
    });
    this.#save(peer, { ...record, entries });
  }

  forgetStaticKey(peer: PeerId): void {
    const record = this.#records.get(peer);
    if (record?.staticKey) this.#save(peer, { ...record, staticKey: undefined });
  }

  flush(): Promise<void> {
    return this.#stored.flush();
  }

  #now(): number {
    return this.#clock.now();
  }

  #save(peer: PeerId, record: PeerRecord): void {
    this.#records.delete(peer);
    this.#records.set(peer, record);
    this.#stored.touch(peer);
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
    this.#stored.touch(peer);
  }
}

/** Undefined for what is malformed, names another peer, or leads nearer than who told it. */
function learnedAddress(peer: PeerId, text: string, reach: Reach): string | undefined {
  const parsed = tryParseAddress(text);
  if (!parsed || (parsed.peer !== undefined && parsed.peer !== peer)) return undefined;
  if (parsed.kind !== 'memory' && parsed.port === 0) return undefined;
  return isAddressWithinReach(parsed, reach) ? parsed.text : undefined;
}

function manualAddress(peer: PeerId, text: string): string {
  const parsed = parseAddress(text);
  if (parsed.peer !== undefined && parsed.peer !== peer) {
    throw new TypeError('the address names another peer');
  }
  return parsed.text;
}
