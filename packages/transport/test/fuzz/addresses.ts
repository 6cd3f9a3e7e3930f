import type { FuzzTarget } from '../../../../checks/fuzz-engine.ts';
import { parseAddress } from '../../src/address/address.ts';
import { decodePeerRecord, encodePeerRecord } from '../../src/address/address-record.ts';
import { parseIp } from '../../src/address/ip.ts';
import { TransportError } from '../../src/errors.ts';
import { decodeBan } from '../../src/manager/bans.ts';
import { parseNetwork } from '../../src/manager/network-set.ts';

const peer = 'z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK';
const texts = [
  '/ip4/192.0.2.1/tcp/4001',
  '/ip6/2001:db8::1/tcp/4001/ws/http-path/%2Fpeer',
  '/dns4/peer.example/tcp/443/tls/ws',
  `/ip4/192.0.2.1/udp/4001/p2p/${peer}`,
  '/memory/alice',
];
const ips = ['192.0.2.1', '::ffff:192.0.2.1', '2001:db8:0:0:1::1', 'fe80::1%eth0', '::'];
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (input: Uint8Array): string => new TextDecoder().decode(input);

const record = encodePeerRecord({
  entries: [
    {
      address: texts[0]!,
      source: 'learned',
      lastSuccess: 1,
      failures: 2,
      retryAt: 3,
      expiresAt: 4,
      reach: 'private',
    },
  ],
  staticKey: new Uint8Array(32).fill(7),
  usedAt: 5,
});

export const targets: readonly FuzzTarget[] = [
  {
    name: 'addresses',
    seeds: texts.map(bytes),
    run: (input) => {
      try {
        const { text } = parseAddress(textOf(input));
        if (parseAddress(text).text !== text) throw new Error(`not canonical: ${text}`);
      } catch (error) {
        if (!(error instanceof TransportError && error.code === 'INVALID_ADDRESS')) throw error;
      }
    },
  },
  { name: 'IP addresses', seeds: ips.map(bytes), run: (input) => void parseIp(textOf(input)) },
  {
    name: 'records of bans',
    seeds: ['{"version":1,"until":1750000000000}', '{"version":1,"until":null}'].map(bytes),
    run: (input) => {
      const until = decodeBan(input);
      if (until !== undefined && typeof until !== 'number') throw new Error('not a time');
    },
  },
  {
    name: 'networks',
    seeds: ['192.0.2.0/24', '2001:db8::/32', '::1'].map(bytes),
    run: (input) => void parseNetwork(textOf(input)),
  },
  { name: 'records of the address book', seeds: [record], run: (input) => void decodePeerRecord(input) },
];
