import { type IpBytes, parseIp } from '../address/ip.ts';

/** An IP network: an address, and how many of its bits count. */
export interface Network {
  readonly bytes: IpBytes;
  readonly bits: number;
}

/** Reads `192.0.2.0/24`, `2001:db8::/32` or a single address; undefined for anything else. */
export function parseNetwork(text: string): Network | undefined {
  const [host = '', length, ...more] = text.split('/');
  const bytes = parseIp(host);
  // An empty length would be read as 0: everybody.
  if (!bytes || length === '' || more.length > 0) return undefined;
  const bits = length === undefined ? bytes.length * 8 : Number(length);
  if (!Number.isInteger(bits) || bits < 0 || bits > bytes.length * 8) return undefined;
  return { bytes, bits };
}

/** Networks by name. A look-up costs as many steps as there are different lengths, however many networks there are. */
export interface NetworkSet {
  readonly size: number;
  add(name: string, network: Network): void;
  delete(name: string): void;
  /** The names of all networks that the address is in. */
  containing(ip: IpBytes): string[];
}

export function createNetworkSet(): NetworkSet {
  const networks = new Map<string, Network>();
  /** By family and length, then by the bits that count: the names of equal networks. */
  const lengths = new Map<string, { readonly bits: number; readonly names: Map<string, Set<string>> }>();
  const groupOf = (ip: IpBytes, bits: number): string => `${ip.length}/${bits}`;

  function remove(name: string): void {
    const network = networks.get(name);
    if (!network || !networks.delete(name)) return;
    const { bytes, bits } = network;
    const group = lengths.get(groupOf(bytes, bits));
    const key = maskedKey(bytes, bits);
    const names = group?.names.get(key);
    names?.delete(name);
    if (names?.size === 0) group?.names.delete(key);
    if (group?.names.size === 0) lengths.delete(groupOf(bytes, bits));
  }

  return {
    get size(): number {
      return networks.size;
    },
    add: (name, network) => {
      remove(name);
      const { bytes, bits } = network;
      networks.set(name, network);
      const group = lengths.get(groupOf(bytes, bits)) ?? { bits, names: new Map<string, Set<string>>() };
      lengths.set(groupOf(bytes, bits), group);
      const key = maskedKey(bytes, bits);
      group.names.set(key, (group.names.get(key) ?? new Set()).add(name));
    },
    delete: remove,
    containing: (ip) => {
      const found: string[] = [];
      for (const [group, { bits, names }] of lengths) {
        if (group === groupOf(ip, bits)) found.push(...(names.get(maskedKey(ip, bits)) ?? []));
      }
      return found;
    },
  };
}

function maskedKey(ip: IpBytes, bits: number): string {
  const whole = bits >> 3;
  const rest = bits & 7;
  const key = [...ip.subarray(0, whole)];
  if (rest > 0) key.push(ip[whole]! & (0xff << (8 - rest)) & 0xff);
  return key.join('.');
}
