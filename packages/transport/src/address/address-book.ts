import type { PeerId } from '@nzcore/identity';
import type { Clock, Random } from '../time/clock.ts';
import type { AddressBookStore } from '../write-behind.ts';
import type { Reach } from './reach.ts';
import { StoredAddressBook } from './stored-address-book.ts';

export type { AddressBookStore };

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
  /** The nearest that the address, or what its name resolves to, may be. Loopback, which is everything, for what the owner says. */
  readonly reach: Reach;
}

/** Where addresses come from and how long they are remembered. */
export interface AddAddressOptions {
  /** @defaultValue `learned` */
  readonly source?: Exclude<AddressSource, 'proven'>;
  /** Milliseconds until a learned address is forgotten. @defaultValue 24 hours, which is the longest */
  readonly ttl?: number;
  /**
   * Multiaddr text of who told. A learned address is taken, and a name dialled, only where it leads no nearer than that: a peer in
   * the same private network may tell private addresses, somebody in the Internet may not. Behind a reverse proxy every `remoteAddress` is
   * the proxy's, which may be loopback: leave this out there.
   * @defaultValue somebody in the Internet
   */
  readonly toldBy?: string;
}

/** What an address book is made of. */
export interface AddressBookOptions {
  readonly store?: AddressBookStore;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Peers remembered; above it claims are forgotten first, then the longest unused, manual ones never. @defaultValue 4,096 */
  readonly maxPeers?: number;
  /**
   * Takes private, link-local and loopback addresses from anybody, and dials names that lead there. They are meaningless beyond
   * the network, the link or the machine, and dialling them on somebody's word lets strangers probe services there.
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
  /**
   * A connection was authenticated there.
   * @param reach - how near the address was allowed to lead, for when it has been forgotten meanwhile. @defaultValue anywhere, as what
   * the owner dialled
   */
  recordSuccess(peer: PeerId, address: string, staticKey: Uint8Array, reach?: Reach): void;
  recordFailure(peer: PeerId, address: string): void;
  forgetStaticKey(peer: PeerId): void;
  /** Resolves when everything is in the store. */
  flush(): Promise<void>;
}

/** Creates an address book; without a store it lives in memory only. */
export function createAddressBook(options: AddressBookOptions = {}): AddressBook {
  return new StoredAddressBook(options);
}
