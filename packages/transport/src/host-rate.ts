import { tryParseAddress } from './address/address.ts';
import { ipLimitKeys, ipScope } from './address/ip.ts';
import type { Clock } from './time/clock.ts';

/**
 * The host (IPv4 address, IPv6 /64) and subnet that limits count an address by. Undefined for loopback, which is exempt:
 * behind a reverse proxy everybody comes from there.
 * @param remoteAddress - multiaddr text
 */
export function limitKeys(remoteAddress: string): { host: string; subnet: string } | undefined {
  const ip = tryParseAddress(remoteAddress)?.ip;
  return ip && ipScope(ip) !== 'loopback' ? ipLimitKeys(ip) : undefined;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Hosts whose rate is remembered: what a flood of source addresses can make this grow to. */
const MAX_BUCKETS = 4_096;

/** Allows each host a rate of something; loopback is exempt. */
export interface HostRate {
  /** @param address - multiaddr text */
  take(address: string): boolean;
}

/** @param rate - a second in the long run, after a burst of four times as many */
export function createHostRate(rate: number, clock: Clock): HostRate {
  const buckets = new Map<string, Bucket>();
  return {
    take: (address) => {
      const keys = limitKeys(address);
      return !keys || takeToken(buckets, keys.host, rate, clock.monotonic());
    },
  };
}

function takeToken(buckets: Map<string, Bucket>, key: string, rate: number, now: number): boolean {
  const burst = rate * 4;
  const old = buckets.get(key);
  const tokens = old ? Math.min(burst, old.tokens + ((now - old.at) * rate) / 1000) : burst;
  const isAllowed = tokens >= 1;
  buckets.delete(key);
  buckets.set(key, { tokens: isAllowed ? tokens - 1 : tokens, at: now });
  if (buckets.size > MAX_BUCKETS) buckets.delete(buckets.keys().next().value!);
  return isAllowed;
}
