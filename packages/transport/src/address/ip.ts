/** An IP address as bytes: 4 for IPv4, 16 for IPv6. */
export type IpBytes = Uint8Array;

/** Parses dotted-decimal IPv4 text; leading zeros are refused (RFC 6943 §3.1.1). */
export function parseIp4(text: string): IpBytes | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  const bytes = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    const part = match[i + 1]!;
    const value = Number(part);
    if (value > 255 || (part.length > 1 && part.startsWith('0'))) return undefined;
    bytes[i] = value;
  }
  return bytes;
}

/** Parses IPv6 text without a zone (RFC 4291 §2.2), an embedded IPv4 tail included. */
export function parseIp6(text: string): IpBytes | undefined {
  if (text.length > 45 || !/^[0-9a-fA-F:.]+$/.test(text)) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1]!, true) : [];
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...new Array<number>(Math.max(missing, 0)).fill(0), ...tail];
  const bytes = new Uint8Array(16);
  groups.forEach((group, i) => {
    bytes[2 * i] = group >> 8;
    bytes[2 * i + 1] = group & 0xff;
  });
  return bytes;
}

function parseGroups(text: string, isLast: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const ip4 = isLast && i === parts.length - 1 ? parseIp4(part) : undefined;
      if (!ip4) return undefined;
      groups.push((ip4[0]! << 8) | ip4[1]!, (ip4[2]! << 8) | ip4[3]!);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

/** Formats bytes as text, IPv6 in the canonical form of RFC 5952 §4. */
export function formatIp(bytes: IpBytes): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  const run = longestZeroRun(groups);
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (run.length < 2) return hex(groups);
  return `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.length))}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [i, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: i - length + 1, length };
  }
  return best;
}

/** Parses either family; an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) becomes its IPv4 form. */
export function parseIp(text: string): IpBytes | undefined {
  const ip4 = parseIp4(text);
  if (ip4) return ip4;
  const ip6 = parseIp6(text.replace(/%.*$/, ''));
  if (!ip6) return undefined;
  const isMapped = ip6.subarray(0, 10).every((byte) => byte === 0) && ip6[10] === 0xff && ip6[11] === 0xff;
  return isMapped ? ip6.slice(12) : ip6;
}

/** Where an address is meaningful: decides what a stranger's claim about it may be used for. */
export type IpScope = 'global' | 'private' | 'link-local' | 'loopback' | 'unusable';

/** Classifies by the special-purpose registries (RFC 6890): `unusable` is never dialled. */
export function ipScope(bytes: IpBytes): IpScope {
  return bytes.length === 4 ? ip4Scope(bytes) : ip6Scope(bytes);
}

/** Translators reach the IPv4 address in the last or the next four bytes: RFC 6052 §2.1, RFC 8215, RFC 3056 §2. */
const NAT64: IpBytes = Uint8Array.of(0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0);
const LOCAL_NAT64: IpBytes = Uint8Array.of(0, 0x64, 0xff, 0x9b, 0, 1);
const SIX_TO_FOUR: IpBytes = Uint8Array.of(0x20, 0x02);
/** RFC 6666. */
const DISCARD: IpBytes = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);

function startsWith(bytes: IpBytes, prefix: IpBytes): boolean {
  return prefix.every((byte, at) => bytes[at] === byte);
}

function ip4Scope(bytes: IpBytes): IpScope {
  const [a, b] = [bytes[0]!, bytes[1]!];
  if (a === 0 || a >= 224) return 'unusable'; // "this network", multicast, reserved, broadcast
  if (a === 127) return 'loopback';
  if (a === 169 && b === 254) return 'link-local';
  if (a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168)) return 'private';
  if (a === 100 && b >= 64 && b < 128) return 'private'; // carrier-grade NAT (RFC 6598)
  if (a === 192 && b === 0 && bytes[2] === 0) return 'unusable'; // protocol assignments (RFC 6890 §2.1)
  if (a === 198 && (b & 0xfe) === 18) return 'private'; // benchmarks within a network (RFC 2544)
  return 'global';
}

function ip6Scope(bytes: IpBytes): IpScope {
  const [a, b] = [bytes[0]!, bytes[1]!];
  if (startsWith(bytes, new Uint8Array(12))) {
    // What else is below ::/96 are IPv4-compatible addresses (RFC 4291 §2.5.5.1), which nothing uses any more.
    return bytes[15] === 1 && startsWith(bytes, new Uint8Array(15)) ? 'loopback' : 'unusable';
  }
  if (startsWith(bytes, NAT64)) return ip4Scope(bytes.subarray(12));
  if (startsWith(bytes, LOCAL_NAT64)) return 'private';
  if (startsWith(bytes, SIX_TO_FOUR)) return ip4Scope(bytes.subarray(2, 6));
  if (a === 0 || startsWith(bytes, DISCARD)) return 'unusable'; // ::/8 is reserved but for the above (RFC 4291 §2.4)
  if (a === 0xff) return 'unusable'; // multicast
  if (a === 0xfe && (b & 0xc0) === 0x80) return 'link-local';
  if (a === 0xfe) return 'private'; // site-local, deprecated (RFC 3879)
  if ((a & 0xfe) === 0xfc) return 'private'; // unique local (RFC 4193)
  return 'global';
}

/**
 * The keys that limits count by: one host, and the network that one party can own whole.
 * An IPv6 customer owns a /64 at least, so that counts as one host, and a /48 as the subnet; IPv4: /32 and /24.
 */
export function ipLimitKeys(bytes: IpBytes): { host: string; subnet: string } {
  if (bytes.length === 4) return { host: formatIp(bytes), subnet: `${bytes.subarray(0, 3).join('.')}.0/24` };
  return { host: `${formatIp(prefix(bytes, 8))}/64`, subnet: `${formatIp(prefix(bytes, 6))}/48` };
}

function prefix(bytes: IpBytes, length: number): IpBytes {
  const out = new Uint8Array(16);
  out.set(bytes.subarray(0, length));
  return out;
}
