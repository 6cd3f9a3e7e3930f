import { isPeerId, type PeerId } from '@nzcore/identity';
import { tryParseAddress } from '../address/address.ts';
import { type IpBytes, parseIp } from '../address/ip.ts';
import type { Clock } from '../time/clock.ts';

/** Peers and networks that are not spoken with. */
export interface Bans {
  /**
   * @param target - PeerId, IP address, or network such as `192.0.2.0/24`
   * @param until - milliseconds since the epoch. @defaultValue for ever
   */
  ban(target: string, until?: number): void;
  unban(target: string): void;
  isPeerBanned(peer: PeerId): boolean;
  /** @param address - multiaddr text */
  isAddressBanned(address: string): boolean;
  list(): readonly { readonly target: string; readonly until: number }[];
}

interface Network {
  readonly bytes: IpBytes;
  readonly bits: number;
}

/** Bans made by this peer's owner or program; nothing from the network adds to them. */
export function createBans(clock: Clock): Bans {
  const peers = new Map<string, number>();
  const networks = new Map<string, { network: Network; until: number }>();

  const isLive = (until: number | undefined): boolean => until !== undefined && until > clock.now();

  return {
    ban: (target, until = Number.POSITIVE_INFINITY) => {
      const network = parseNetwork(target);
      if (network) networks.set(target, { network, until });
      else if (isPeerId(target)) peers.set(target, until);
      else throw new TypeError(`neither a PeerId nor an IP network: ${target}`);
    },
    unban: (target) => {
      peers.delete(target);
      networks.delete(target);
    },
    isPeerBanned: (peer) => {
      const until = peers.get(peer);
      if (until !== undefined && !isLive(until)) peers.delete(peer);
      return isLive(until);
    },
    isAddressBanned: (address) => {
      if (networks.size === 0) return false;
      const ip = tryParseAddress(address)?.ip;
      if (!ip) return false;
      for (const [target, { network, until }] of networks) {
        if (!isLive(until)) networks.delete(target);
        else if (contains(network, ip)) return true;
      }
      return false;
    },
    list: () =>
      [...peers, ...[...networks].map(([target, { until }]) => [target, until] as const)]
        .filter(([, until]) => isLive(until))
        .map(([target, until]) => ({ target, until })),
  };
}

function parseNetwork(text: string): Network | undefined {
  const [host = '', length, ...more] = text.split('/');
  const bytes = parseIp(host);
  // An empty length would be read as 0: everybody.
  if (!bytes || length === '' || more.length > 0) return undefined;
  const bits = length === undefined ? bytes.length * 8 : Number(length);
  if (!Number.isInteger(bits) || bits < 0 || bits > bytes.length * 8) return undefined;
  return { bytes, bits };
}

function contains({ bytes, bits }: Network, ip: IpBytes): boolean {
  // An IPv4-mapped source is the IPv4 host behind it.
  const other = ip.length === bytes.length ? ip : undefined;
  if (!other) return false;
  for (let i = 0; i * 8 < bits; i++) {
    const mask = bits - i * 8 >= 8 ? 0xff : (0xff << (8 - (bits - i * 8))) & 0xff;
    if (((bytes[i]! ^ other[i]!) & mask) !== 0) return false;
  }
  return true;
}
