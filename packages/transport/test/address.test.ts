import { peerIdFromPublicKey } from '@nzcore/identity';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAddress, isAddress, parseAddress } from '../src/address/address.ts';
import { formatIp, ipLimitKeys, ipScope, parseIp, parseIp4, parseIp6 } from '../src/address/ip.ts';
import { TransportError } from '../src/errors.ts';
import { reachableAddresses } from '../src/tcp.ts';

const PEER = peerIdFromPublicKey(new Uint8Array(32).fill(7));

describe('addresses', () => {
  it.each([
    ['/ip4/192.0.2.1/tcp/4001', 'tcp', '/ip4/192.0.2.1/tcp/4001'],
    ['/ip6/2001:DB8:0:0:0:0:0:1/tcp/4001', 'tcp', '/ip6/2001:db8::1/tcp/4001'],
    ['/dns4/Peer.Example./tcp/443/wss', 'wss', '/dns4/peer.example/tcp/443/tls/ws'],
    ['/dns/peer.example/tcp/443/tls/ws', 'wss', '/dns/peer.example/tcp/443/tls/ws'],
    ['/ip4/1.2.3.4/tcp/80/ws/http-path/%2Fa%2Fb', 'ws', '/ip4/1.2.3.4/tcp/80/ws/http-path/%2Fa%2Fb'],
    ['/ip4/1.2.3.4/udp/9', 'udp', '/ip4/1.2.3.4/udp/9'],
    ['/memory/alice', 'memory', '/memory/alice'],
  ])('reads %s', (text, kind, canonical) => {
    const address = parseAddress(`${text}/p2p/${PEER}`);
    expect(address).toMatchObject({ kind, text: canonical, peer: PEER });
    expect(parseAddress(canonical)).toEqual({ ...address, peer: undefined });
  });

  it.each([
    '',
    '/',
    'ip4/1.2.3.4/tcp/1',
    '/ip4/1.2.3/tcp/1',
    '/ip4/01.2.3.4/tcp/1',
    '/ip4/256.2.3.4/tcp/1',
    '/ip4/1.2.3.4/tcp/65536',
    '/ip4/1.2.3.4/tcp/01',
    '/ip4/1.2.3.4/tcp/',
    '/ip4/1.2.3.4/tcp',
    '/ip4/1.2.3.4/sctp/1',
    '/ip4/1.2.3.4/udp/1/ws',
    '/ip4/1.2.3.4/tcp/1/tls',
    '/ip4/1.2.3.4/tcp/1/ws/http-path/%0d%0aX:y',
    '/ip4/1.2.3.4/tcp/1/ws/http-path/%',
    '/ip6/::1::/tcp/1',
    '/ip6/fe80::1%eth0/tcp/1',
    '/ip6/::ffff:127.0.0.1/tcp/1',
    '/ip6/::ffff:7f00:1/tcp/1',
    '/dns/-bad.example/tcp/1',
    '/dns/127.1/tcp/1',
    '/dns/0x7f000001/tcp/1',
    `/dns/${'a.'.repeat(200)}example/tcp/1`,
    '/ip4/1.2.3.4/tcp/1/p2p/',
    '/ip4/1.2.3.4/tcp/1/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
    `/ip4/1.2.3.4/tcp/1/p2p/z6Mk${'1'.repeat(44)}`,
    `/ip4/1.2.3.4/tcp/1/p2p/${PEER}/p2p/${PEER}`,
    '/ip4/1.2.3.4/tcp/1/',
    '/memory/',
    '/memory/a b',
    `/memory/${'a'.repeat(2000)}`,
  ])('refuses %j with INVALID_ADDRESS', (text) => {
    expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: 'INVALID_ADDRESS' }));
    expect(isAddress(text)).toBe(false);
  });

  it('formats what sockets report: brackets, zones, mapped IPv4', () => {
    expect(formatAddress({ kind: 'tcp', host: '::ffff:10.0.0.1', port: 1 })).toBe('/ip4/10.0.0.1/tcp/1');
    expect(formatAddress({ kind: 'tcp', host: 'fe80::1%eth0', port: 1 })).toBe('/ip6/fe80::1/tcp/1');
    expect(formatAddress({ kind: 'wss', host: '[2001:db8::1]', port: 443, path: '/x', peer: PEER })).toBe(
      `/ip6/2001:db8::1/tcp/443/tls/ws/http-path/%2Fx/p2p/${PEER}`,
    );
    expect(() => formatAddress({ kind: 'tcp', host: 'a/b', port: 1 })).toThrow(TransportError);
  });

  it('is the inverse of formatting', () => {
    const octets = fc.uint8Array({ minLength: 4, maxLength: 4 });
    const words = fc.uint8Array({ minLength: 16, maxLength: 16 });
    const kind = fc.constantFrom('tcp', 'ws', 'wss', 'udp');
    fc.assert(
      fc.property(fc.oneof(octets, words), kind, fc.nat(65_535), (ip, of, port) => {
        const text = formatAddress({ kind: of as 'tcp', host: formatIp(ip), port });
        expect(parseAddress(text)).toMatchObject({ kind: of, port, ip, text });
      }),
    );
  });

  it('gives a value or INVALID_ADDRESS for any text', () => {
    const words = fc.constantFrom(
      'ip4',
      'ip6',
      'dns',
      'tcp',
      'udp',
      'ws',
      'tls',
      'p2p',
      'http-path',
      '1',
      '::',
      '',
      '%',
      'x',
    );
    const soup = fc.oneof(
      fc.string(),
      fc.array(fc.oneof(words, fc.string())).map((list) => `/${list.join('/')}`),
    );
    fc.assert(
      fc.property(soup, (text) => {
        try {
          expect(parseAddress(parseAddress(text).text).text).toBe(parseAddress(text).text);
        } catch (error) {
          expect((error as TransportError).code).toBe('INVALID_ADDRESS');
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('IP addresses', () => {
  it('formats IPv6 canonically (RFC 5952 §4)', () => {
    for (const [text, canonical] of [
      ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
      ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
      ['0:0:0:0:0:0:0:0', '::'],
      ['1:0:0:0:0:0:0:0', '1::'],
      ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ]) {
      expect(formatIp(parseIp6(text!)!)).toBe(canonical);
    }
  });

  it('knows where an address is meaningful (RFC 6890)', () => {
    const scopes = [
      '8.8.8.8',
      '10.1.2.3',
      '172.31.0.1',
      '100.64.0.1',
      '169.254.1.1',
      '127.0.0.1',
      '0.0.0.0',
      '224.0.0.1',
      '2001:db8::1',
      'fd00::1',
      'fe80::1',
      '::1',
      '::',
      'ff02::1',
      '::ffff:127.0.0.1',
      '::127.0.0.1',
      '64:ff9b::10.0.0.1',
      '64:ff9b::8.8.8.8',
      '64:ff9b:1::8.8.8.8',
      '2002:7f00:1::1',
      '100::1',
      'fec0::1',
      '192.0.0.1',
      '198.18.0.1',
      '::ffff:0:127.0.0.1',
    ].map((text) => ipScope(parseIp(text)!));
    expect(scopes).toEqual([
      'global',
      'private',
      'private',
      'private',
      'link-local',
      'loopback',
      'unusable',
      'unusable',
      'global',
      'private',
      'link-local',
      'loopback',
      'unusable',
      'unusable',
      'loopback',
      'unusable',
      'private',
      'global',
      'private',
      'loopback',
      'unusable',
      'private',
      'unusable',
      'private',
      'unusable',
    ]);
  });

  it('counts an IPv6 customer as one host, and a mapped address as its IPv4', () => {
    expect(ipLimitKeys(parseIp('192.0.2.77')!)).toEqual({
      host: '192.0.2.77',
      subnet: '192.0.2.0/24',
    });
    expect(ipLimitKeys(parseIp('2001:db8:1:2:3:4:5:6')!)).toEqual({
      host: '2001:db8:1:2::/64',
      subnet: '2001:db8:1::/48',
    });
    expect(ipLimitKeys(parseIp('::ffff:192.0.2.77')!)).toEqual(ipLimitKeys(parseIp4('192.0.2.77')!));
  });
});

describe('reachable addresses', () => {
  it('are the interfaces of a wildcard, loopback last', () => {
    const addresses = reachableAddresses('/ip4/0.0.0.0/tcp/4001/ws');
    expect(addresses.at(-1)).toBe('/ip4/127.0.0.1/tcp/4001/ws');
    expect(addresses).not.toContain('/ip4/0.0.0.0/tcp/4001/ws');
  });

  it('are the address itself otherwise', () => {
    expect(reachableAddresses('/ip4/127.0.0.1/tcp/1')).toEqual(['/ip4/127.0.0.1/tcp/1']);
    expect(reachableAddresses('/memory/a')).toEqual(['/memory/a']);
  });
});
