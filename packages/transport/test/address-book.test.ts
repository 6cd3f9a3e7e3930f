import { peerIdFromPublicKey } from '@nzcore/identity';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAddressBook } from '../src/address/address-book.ts';
import { decodePeerRecord, encodePeerRecord } from '../src/address/address-record.ts';
import { createFakeClock } from '../src/testing.ts';
import { createMapStore } from './map-store.ts';

const peerOf = (n: number): ReturnType<typeof peerIdFromPublicKey> =>
  peerIdFromPublicKey(new Uint8Array(32).fill(n & 0xff).fill(n >> 8, 0, 1));
const PEER = peerOf(1);
const KEY = new Uint8Array(32).fill(9);
const texts = (entries: readonly { address: string }[]): string[] => entries.map(({ address }) => address);

describe('address book', () => {
  it('survives a restart: addresses, what worked, failures and the static key', async () => {
    const clock = createFakeClock();
    const store = createMapStore();
    const book = createAddressBook({ store, clock });
    await book.load();
    book.add(PEER, ['/ip4/192.0.2.1/tcp/1', '/dns4/peer.example/tcp/443/wss'], { source: 'manual' });
    book.add(peerOf(2), ['/ip4/192.0.2.2/tcp/2']);
    book.recordSuccess(PEER, '/ip4/192.0.2.1/tcp/1', KEY);
    book.recordFailure(PEER, '/dns4/peer.example/tcp/443/tls/ws');
    await book.flush();
    const again = createAddressBook({ store, clock });
    await again.load();
    expect(again.addresses(PEER)).toEqual(book.addresses(PEER));
    expect(again.staticKey(PEER)).toEqual(KEY);
    expect(new Set(again.peers())).toEqual(new Set(book.peers()));
    again.remove(PEER);
    await again.flush();
    const third = createAddressBook({ store, clock });
    await third.load();
    expect(third.peers()).toEqual([peerOf(2)]);
  });

  it('takes no damaged record for true, and goes on with the others', async () => {
    const store = createMapStore();
    const book = createAddressBook({ store });
    book.add(PEER, ['/ip4/192.0.2.1/tcp/1']);
    await book.flush();
    await store.put(new TextEncoder().encode(`peer/${peerOf(2)}`), new Uint8Array([1, 2, 3]));
    await store.put(new TextEncoder().encode('peer/nobody'), new Uint8Array([1, 2, 3]));
    const again = createAddressBook({ store });
    await again.load();
    expect(again.peers()).toEqual([PEER]);
  });

  it('reads back every record that it writes, and gives undefined for any other bytes', () => {
    const record = { entries: [], staticKey: KEY, usedAt: 5 };
    expect(decodePeerRecord(encodePeerRecord(record))).toEqual(record);
    const bytes = encodePeerRecord(record);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const mutated = bytes.slice();
        mutated[at] = value;
        const decoded = decodePeerRecord(mutated);
        expect(decoded === undefined || Array.isArray(decoded.entries)).toBe(true);
      }),
    );
  });

  it("drops strangers' addresses that lead to this machine, nowhere, or to another peer", () => {
    const book = createAddressBook();
    const claims = [
      '/ip4/127.0.0.1/tcp/22',
      '/ip6/::1/tcp/22',
      '/ip6/::ffff:127.0.0.1/tcp/22',
      '/ip4/169.254.169.254/tcp/80',
      '/ip4/0.0.0.0/tcp/1',
      '/ip4/224.0.0.1/udp/1',
      '/ip4/192.0.2.1/tcp/0',
      '/dns4/localhost/tcp/80',
      '/dns/db.LocalHost./tcp/80',
    ];
    for (const claim of [...claims, `/ip4/192.0.2.1/tcp/1/p2p/${peerOf(2)}`, 'nonsense']) {
      expect(book.add(PEER, [claim]), claim).toBe(0);
    }
    expect(book.add(PEER, [`/ip4/192.0.2.1/tcp/1/p2p/${PEER}`])).toBe(1);
    expect(() => book.add(PEER, ['nonsense'], { source: 'manual' })).toThrow(
      expect.objectContaining({ code: 'INVALID_ADDRESS' }),
    );
    expect(() => book.add(PEER, [`/memory/x/p2p/${peerOf(2)}`], { source: 'manual' })).toThrow(TypeError);
  });

  it('takes addresses of a private network from somebody in one only, and those of this machine from nobody else', () => {
    const book = createAddressBook();
    const told = (address: string, toldBy?: string): number =>
      book.add(PEER, [address], toldBy === undefined ? {} : { toldBy });
    for (const near of [
      '/ip4/10.0.0.7/tcp/1',
      '/ip6/fd00::7/tcp/1',
      '/ip4/192.168.0.1/tcp/1',
      '/ip6/fe80::1/tcp/1',
    ]) {
      expect(told(near)).toBe(0);
      expect(told(near, '/ip4/198.51.100.1/tcp/9')).toBe(0);
      expect(told(near, '/dns4/peer.example/tcp/9')).toBe(0);
    }
    expect(told('/ip4/10.0.0.7/tcp/1', '/ip4/192.168.0.9/tcp/9')).toBe(1);
    expect(told('/ip4/127.0.0.1/tcp/1', '/ip4/192.168.0.9/tcp/9')).toBe(0);
    expect(told('/ip6/fe80::1/tcp/1', '/ip6/fe80::2/tcp/9')).toBe(1);
    expect(told('/ip4/127.0.0.1/tcp/1', '/ip4/127.0.0.1/tcp/9')).toBe(1);
    expect(told('/ip4/198.51.100.1/tcp/1')).toBe(1);
    expect(book.add(PEER, ['/ip4/127.0.0.1/tcp/2'], { source: 'manual' })).toBe(1);
  });

  it('remembers how near a name may lead, though it worked once, and through a restart', async () => {
    const store = createMapStore();
    const book = createAddressBook({ store });
    const reach = (from = book): Record<string, string> =>
      Object.fromEntries(from.addresses(PEER).map((one) => [one.address, one.reach]));
    book.add(PEER, ['/dns4/a.example/tcp/1']);
    book.add(PEER, ['/dns4/b.example/tcp/1'], { toldBy: '/ip4/10.0.0.1/tcp/1' });
    book.recordSuccess(PEER, '/dns4/a.example/tcp/1', KEY);
    book.recordSuccess(PEER, '/dns4/own.example/tcp/1', KEY);
    const expected = {
      '/dns4/a.example/tcp/1': 'global',
      '/dns4/b.example/tcp/1': 'private',
      '/dns4/own.example/tcp/1': 'loopback',
    };
    expect(reach()).toEqual(expected);
    await book.flush();
    const again = createAddressBook({ store });
    await again.load();
    expect(reach(again)).toEqual(expected);
  });

  it('remembers how near a name may lead, though the claim ran out while it was dialled', async () => {
    const clock = createFakeClock();
    const book = createAddressBook({ clock });
    book.add(PEER, ['/dns4/a.example/tcp/1'], { ttl: 1_000 });
    const [{ reach } = { reach: undefined }] = book.addresses(PEER);
    await clock.advance(2_000);
    book.recordSuccess(PEER, '/dns4/a.example/tcp/1', KEY, reach);
    expect(book.addresses(PEER)).toMatchObject([{ source: 'proven', reach: 'global' }]);
  });

  it('lets no flood of claims push out what was proven or configured', () => {
    const clock = createFakeClock();
    const book = createAddressBook({ clock });
    book.add(PEER, ['/ip4/192.0.2.1/tcp/1'], { source: 'manual' });
    book.recordSuccess(PEER, '/ip4/192.0.2.2/tcp/2', KEY);
    for (let port = 1; port < 500; port++) book.add(PEER, [`/ip4/198.51.100.1/tcp/${port}`]);
    const entries = book.addresses(PEER);
    expect(texts(entries).slice(0, 2)).toEqual(['/ip4/192.0.2.1/tcp/1', '/ip4/192.0.2.2/tcp/2']);
    expect(entries.length).toBe(10);
    // A claim that failed makes room for another; one that did not stays.
    book.recordFailure(PEER, '/ip4/198.51.100.1/tcp/3');
    expect(book.add(PEER, ['/ip4/198.51.100.9/tcp/9'])).toBe(1);
    expect(texts(book.addresses(PEER))).not.toContain('/ip4/198.51.100.1/tcp/3');
  });

  it('forgets claimed peers first, then the longest unused, and configured ones never', () => {
    const book = createAddressBook({ maxPeers: 4 });
    book.add(peerOf(1), ['/ip4/192.0.2.1/tcp/1'], { source: 'manual' });
    book.recordSuccess(peerOf(2), '/ip4/192.0.2.2/tcp/2', KEY);
    for (let n = 3; n < 60; n++) book.add(peerOf(n), ['/ip4/192.0.2.3/tcp/3']);
    expect(book.peers().slice(0, 2)).toEqual([peerOf(1), peerOf(2)]);
    expect(book.peers().length).toBe(4);
    for (let n = 100; n < 103; n++) book.recordSuccess(peerOf(n), '/ip4/192.0.2.3/tcp/3', KEY);
    expect(new Set(book.peers())).toEqual(new Set([1, 100, 101, 102].map(peerOf)));
    expect(book.add(peerOf(150), ['/ip4/192.0.2.9/tcp/9'])).toBe(1);
    expect(new Set(book.peers())).toEqual(new Set([1, 100, 101, 102].map(peerOf)));
  });

  it('forgets a claim after its time, or after five failures, and a proven address after thirty days of them', async () => {
    const clock = createFakeClock();
    const book = createAddressBook({ clock });
    book.add(PEER, ['/ip4/192.0.2.1/tcp/1'], { ttl: 60_000 });
    book.add(PEER, ['/ip4/192.0.2.2/tcp/2'], { ttl: 1e12 });
    book.recordSuccess(PEER, '/ip4/192.0.2.3/tcp/3', KEY);
    await clock.advance(61_000);
    expect(texts(book.addresses(PEER))).toEqual(['/ip4/192.0.2.2/tcp/2', '/ip4/192.0.2.3/tcp/3']);
    for (let i = 0; i < 5; i++) book.recordFailure(PEER, '/ip4/192.0.2.2/tcp/2');
    for (let i = 0; i < 20; i++) book.recordFailure(PEER, '/ip4/192.0.2.3/tcp/3');
    expect(texts(book.addresses(PEER))).toEqual(['/ip4/192.0.2.3/tcp/3']);
    await clock.advance(31 * 24 * 3_600_000);
    book.recordFailure(PEER, '/ip4/192.0.2.3/tcp/3');
    expect(book.addresses(PEER)).toEqual([]);
  });

  it('reports a store that fails, and goes on in memory', async () => {
    const errors: unknown[] = [];
    const fail = (): Promise<never> => Promise.reject(new Error('disk'));
    const store = { put: fail, delete: fail, iterate: async function* (): AsyncGenerator<never> {} };
    const book = createAddressBook({ store, onError: (error) => errors.push(error) });
    book.add(PEER, ['/ip4/192.0.2.1/tcp/1']);
    await book.flush();
    expect([errors.length, book.addresses(PEER).length]).toEqual([1, 1]);
  });
});
