import { formatAddress } from './address.ts';

/** Text that the kernel wrote, in the form that most addresses have: to parse it would cost 8 us, and a connection 5 KB of string pieces. */
const PLAIN_IP4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** Multiaddr text of a socket's end as the system tells it. */
export function formatSocketAddress(kind: 'tcp' | 'udp', host: string, port: number): string {
  // Joined, so that it is one string in memory and not a tree of pieces.
  if (PLAIN_IP4.test(host)) return ['/ip4/', host, '/', kind, '/', port].join('');
  return formatAddress({ kind, host, port });
}
