import type { ParsedAddress } from './address.ts';
import { type IpBytes, type IpScope, ipScope } from './ip.ts';

/** How near an address may lead: `global` anywhere in the Internet, the others also ever nearer to this machine. */
export type Reach = Exclude<IpScope, 'unusable'>;

const FROM_FAR_TO_NEAR: readonly Reach[] = ['global', 'private', 'link-local', 'loopback'];

/** Names that resolvers answer with loopback (RFC 6761 §6.3). */
const LOCALHOST = /(?:^|\.)localhost$/;

/**
 * Says whether an IP address is no nearer than that. Somebody out in the Internet has no business with addresses of this machine
 * or of the network behind its router: dialling them on a stranger's word would let the stranger probe both.
 */
export function isWithinReach(ip: IpBytes, reach: Reach): boolean {
  const scope = ipScope(ip);
  return scope !== 'unusable' && FROM_FAR_TO_NEAR.indexOf(scope) <= FROM_FAR_TO_NEAR.indexOf(reach);
}

/** The same for an address; what a name resolves to is only known, and looked at, when it is dialled. */
export function isAddressWithinReach({ ip, host }: ParsedAddress, reach: Reach): boolean {
  return ip ? isWithinReach(ip, reach) : reach === 'loopback' || !LOCALHOST.test(host);
}

/** How near somebody at this address is: what it says about addresses can be meant for its own surroundings. */
export function reachOf(teller: ParsedAddress | undefined): Reach {
  const scope = teller?.ip ? ipScope(teller.ip) : 'global';
  return scope === 'unusable' ? 'global' : scope;
}

/** The nearer of two. */
export function nearer(a: Reach, b: Reach): Reach {
  return FROM_FAR_TO_NEAR.indexOf(a) > FROM_FAR_TO_NEAR.indexOf(b) ? a : b;
}

export function isReach(value: unknown): value is Reach {
  return FROM_FAR_TO_NEAR.includes(value as Reach);
}
