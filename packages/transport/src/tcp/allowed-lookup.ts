import type { LookupAddress, LookupOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { parseIp } from '../address/ip.ts';
import { TransportError } from '../errors.ts';
import type { DialOptions } from '../transport.ts';

/**
 * Resolves names for a dial, and answers only with addresses that it may lead to. The check is on the answer that is then connected
 * to: a second look-up could get another one (DNS rebinding).
 * @returns undefined when nothing is restricted: Node does it by itself then
 */
export function allowedLookup(
  isAllowedIp: DialOptions['isAllowedIp'],
  lookup?: LookupFunction,
): LookupFunction | undefined {
  if (!isAllowedIp) return lookup;
  // Asked for here: its promises would be loaded with it at every start.
  const dns = process.getBuiltinModule('node:dns');
  const resolve = (lookup ?? dns.lookup) as typeof dns.lookup;
  const isAllowed = ({ address }: LookupAddress): boolean => {
    const ip = parseIp(address);
    return ip !== undefined && isAllowedIp(ip);
  };
  return (hostname, options: LookupOptions, callback) => {
    resolve(
      hostname,
      { ...options, all: true },
      (error, found: LookupAddress[] | string, family?: number) => {
        // A look-up of the program's own may know one address only.
        const addresses = typeof found === 'string' ? [{ address: found, family: family ?? 0 }] : found;
        const [first, ...others] = error ? [] : addresses.filter(isAllowed);
        if (error) callback(error, []);
        else if (!first) callback(notAllowed(hostname), []);
        else if (options.all) callback(null, [first, ...others]);
        else callback(null, first.address, first.family);
      },
    );
  };
}

function notAllowed(hostname: string): TransportError {
  return new TransportError('DIAL_FAILED', `${hostname} leads where it may not`);
}
