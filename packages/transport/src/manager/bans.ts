import { isPeerId, type PeerId } from '@nzcore/identity';
import { tryParseAddress } from '../address/address.ts';
import type { IpBytes } from '../address/ip.ts';
import { TransportError } from '../errors.ts';
import type { Clock } from '../time/clock.ts';
import { type AddressBookStore, WriteBehind } from '../write-behind.ts';
import { createNetworkSet, parseNetwork } from './network-set.ts';

/** Peers and networks that are not spoken with. Reads are from memory; changes are written behind. */
export interface Bans {
  /**
   * Above the limit of bans the one that ends first gives way.
   * @param target - PeerId, IP address, or network such as `192.0.2.0/24`
   * @param until - milliseconds since the epoch. @defaultValue for ever
   * @throws TypeError for any other target; TransportError `LIMIT_EXCEEDED` when as many as there may be never end
   */
  ban(target: string, until?: number): void;
  unban(target: string): void;
  isPeerBanned(peer: PeerId): boolean;
  /** @param address - multiaddr text */
  isAddressBanned(address: string): boolean;
  isIpBanned(ip: IpBytes): boolean;
  list(): readonly { readonly target: string; readonly until: number }[];
  /** Reads the store; what is over by now is deleted there. @throws what the store throws */
  load(): Promise<void>;
  /** Resolves when everything is in the store. */
  flush(): Promise<void>;
}

/** What bans are made of. */
export interface BansOptions {
  readonly clock: Clock;
  /** Where they are kept; without it, in memory only. */
  readonly store?: AddressBookStore | undefined;
  /** @defaultValue 10,000 */
  readonly maxBans?: number;
  /** The store failed; what is in memory goes on being used. */
  readonly onError?: (error: unknown) => void;
}

/** Bans made by this peer's owner or program; nothing from the network adds to them. */
export function createBans({ clock, store, maxBans = 10_000, onError = () => {} }: BansOptions): Bans {
  /** When each ban ends. */
  const bans = new Map<string, number>();
  const networks = createNetworkSet();
  const stored = new WriteBehind({
    store,
    prefix: 'ban/',
    encode: (target) => {
      const until = bans.get(target);
      return until === undefined ? undefined : encodeBan(until);
    },
    onError,
  });

  function isLive(target: string): boolean {
    const until = bans.get(target);
    if (until === undefined) return false;
    if (until > clock.now()) return true;
    remove(target);
    return false;
  }

  function put(target: string, until: number): void {
    const network = parseNetwork(target);
    if (network) networks.add(target, network);
    bans.set(target, until);
  }

  function remove(target: string): void {
    if (!bans.delete(target)) return;
    networks.delete(target);
    stored.touch(target);
  }

  function isIpBanned(ip: IpBytes): boolean {
    return networks.containing(ip).some(isLive);
  }

  /** What has ended goes, else what ends first. */
  function makeRoom(): void {
    if (bans.size < maxBans) return;
    for (const target of [...bans.keys()]) isLive(target);
    if (bans.size < maxBans) return;
    const [first] = [...bans].reduce((a, b) => (b[1] < a[1] ? b : a));
    if (bans.get(first) === Number.POSITIVE_INFINITY) {
      throw new TransportError('LIMIT_EXCEEDED', `there are ${maxBans} bans that never end`);
    }
    remove(first);
  }

  return {
    ban: (target, until = Number.POSITIVE_INFINITY) => {
      if (Number.isNaN(until)) throw new RangeError('until is a time in milliseconds');
      if (!isBannable(target)) throw new TypeError(`neither a PeerId nor an IP network: ${target}`);
      if (!bans.has(target)) makeRoom();
      put(target, until);
      stored.touch(target);
    },
    unban: remove,
    isPeerBanned: isLive,
    isAddressBanned: (address) => {
      if (networks.size === 0) return false;
      const ip = tryParseAddress(address)?.ip;
      return ip !== undefined && isIpBanned(ip);
    },
    isIpBanned,
    list: () => [...bans.keys()].filter(isLive).map((target) => ({ target, until: bans.get(target)! })),
    load: async () => {
      for await (const [target, value] of stored.load()) {
        const until = decodeBan(value);
        // A damaged record is a ban of nobody. What was banned since the start is newer.
        if (until === undefined || !isBannable(target) || bans.has(target)) continue;
        if (until <= clock.now() || bans.size >= maxBans) stored.touch(target);
        else put(target, until);
      }
    },
    flush: () => stored.flush(),
  };
}

function isBannable(target: string): boolean {
  return parseNetwork(target) !== undefined || isPeerId(target);
}

/** JSON in UTF-8, as with the address book. JSON has no infinity. */
function encodeBan(until: number): Uint8Array {
  const value = { version: 1, until: Number.isFinite(until) ? until : null };
  return new TextEncoder().encode(JSON.stringify(value));
}

/** @returns undefined for anything that {@link encodeBan} did not make */
export function decodeBan(bytes: Uint8Array): number | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof value !== 'object' || value === null) return undefined;
    const { version, until } = value as Record<string, unknown>;
    if (version !== 1) return undefined;
    if (until === null) return Number.POSITIVE_INFINITY;
    return typeof until === 'number' ? until : undefined;
  } catch {
    return undefined;
  }
}
