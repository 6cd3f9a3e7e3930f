import { type ParsedAddress, tryParseAddress } from '../address/address.ts';
import type { AddressEntry } from '../address/address-book.ts';
import { isAddressWithinReach, type Reach } from '../address/reach.ts';
import type { Transport } from '../transport.ts';

/** How a program wants its peers to be dialled. */
export interface DialPolicy {
  /** Names of transports, the preferred first. @defaultValue the order in which they were given */
  readonly transports?: readonly string[];
  /** Says false for addresses that are never dialled. @defaultValue all may be */
  readonly allow?: (address: ParsedAddress) => boolean;
  /** Addresses that one dial tries at most: what a stranger's list can make this peer contact. @defaultValue 8 */
  readonly maxAddresses?: number;
  /** Milliseconds between attempts, RFC 8305 §5. @defaultValue 250 */
  readonly attemptDelay?: number;
}

/** An address with the transport that dials it. */
export interface DialCandidate {
  readonly address: ParsedAddress;
  readonly transport: Transport;
  /** Where a name may lead; undefined for what the caller gave, which may lead anywhere. */
  readonly reach: Reach | undefined;
}

interface Ranked extends DialCandidate {
  readonly entry: AddressEntry;
  readonly preference: number;
}

/**
 * The order of dialling: what worked last comes first, then by the policy's transports, address families taking turns with
 * IPv6 first (RFC 8305 §4), fewer failures first; addresses that failed lately come last.
 */
export function orderCandidates(
  entries: readonly AddressEntry[],
  transports: readonly Transport[],
  policy: DialPolicy,
  now: number,
): DialCandidate[] {
  const ranked = entries.flatMap((entry) => rank(entry, transports, policy));
  const isResting = ({ entry }: Ranked): boolean => entry.retryAt > now;
  const worked = ranked.filter((one) => one.entry.lastSuccess > 0 && !isResting(one));
  worked.sort((a, b) => b.entry.lastSuccess - a.entry.lastSuccess);
  const rest = ranked.filter((one) => !worked.includes(one) && !isResting(one));
  const resting = ranked.filter(isResting).sort((a, b) => a.entry.retryAt - b.entry.retryAt);
  const order = [...worked, ...interleaveFamilies(rest.sort(byPreference)), ...resting];
  return order
    .slice(0, policy.maxAddresses ?? 8)
    .map(({ address, transport, reach }) => ({ address, transport, reach }));
}

function rank(entry: AddressEntry, transports: readonly Transport[], policy: DialPolicy): Ranked[] {
  const address = tryParseAddress(entry.address);
  const transport = transports.find((one) => one.canDial(entry.address));
  const { reach } = entry;
  if (!address || !transport || policy.allow?.(address) === false) return [];
  if (!isAddressWithinReach(address, reach)) return [];
  const names = policy.transports ?? transports.map(({ name }) => name);
  const at = names.indexOf(transport.name);
  return [{ entry, address, transport, reach, preference: at < 0 ? names.length : at }];
}

function byPreference(a: Ranked, b: Ranked): number {
  return a.preference - b.preference || a.entry.failures - b.entry.failures;
}

/** Within each run of equal preference: IPv6, IPv4, IPv6, … with names counted as IPv6, for they may be both. */
function interleaveFamilies(sorted: readonly Ranked[]): Ranked[] {
  const out: Ranked[] = [];
  for (let at = 0; at < sorted.length; ) {
    const { preference } = sorted[at]!;
    const run = sorted.slice(at).filter((one) => one.preference === preference);
    const first = run.filter(({ address }) => address.family !== 'ip4');
    const second = run.filter(({ address }) => address.family === 'ip4');
    for (let i = 0; i < Math.max(first.length, second.length); i++) {
      if (first[i]) out.push(first[i]!);
      if (second[i]) out.push(second[i]!);
    }
    at += run.length;
  }
  return out;
}
