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
  /**
   * @param address - multiaddr text
   * @param isAllowed - asked when the host may: only what is done costs something
   */
  take(address: string, isAllowed?: () => boolean): boolean;
  /** Takes so much more of what the host may do now: others behind its address have their part of what comes then. */
  charge(address: string, tokens: number): void;
}

/** @param rate - a second in the long run, after a burst of four times as many */
export function createHostRate(rate: number, clock: Clock): HostRate {
  const buckets = new Map<string, Bucket>();
  const burst = rate * 4;
  /** A flood comes from one address again and again, and to read it costs more than all the rest. */
  let last: { readonly address: string; readonly host: string | undefined } | undefined;

  function hostOf(address: string): string | undefined {
    if (last?.address !== address) last = { address, host: limitKeys(address)?.host };
    return last.host;
  }

  function tokensOf(host: string, now: number): number {
    const old = buckets.get(host);
    return old ? Math.min(burst, old.tokens + ((now - old.at) * rate) / 1000) : burst;
  }

  function remember(host: string, tokens: number, at: number): void {
    buckets.delete(host);
    buckets.set(host, { tokens, at });
    if (buckets.size > MAX_BUCKETS) buckets.delete(buckets.keys().next().value!);
  }

  return {
    take: (address, isAllowed = () => true) => {
      const host = hostOf(address);
      if (host === undefined) return isAllowed();
      const now = clock.monotonic();
      const tokens = tokensOf(host, now);
      const isTaken = tokens >= 1 && isAllowed();
      remember(host, isTaken ? tokens - 1 : tokens, now);
      return isTaken;
    },
    charge: (address, charged) => {
      const host = hostOf(address);
      if (host === undefined) return;
      const now = clock.monotonic();
      remember(host, Math.max(0, tokensOf(host, now) - charged), now);
    },
  };
}
