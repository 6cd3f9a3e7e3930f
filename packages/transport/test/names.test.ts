import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { describe, expect, it } from 'vitest';
import { isWithinReach } from '../src/address/reach.ts';
import { createMemoryNetwork, createMemoryTransport } from '../src/memory.ts';
import { createTcpTransport } from '../src/tcp.ts';
import { createWebSocketTransport } from '../src/ws.ts';
import { createSecurePeer } from './secure-peer.ts';

/** Answers every name with these, in the way of node:dns. */
function answering(...addresses: string[]): LookupFunction & { asked: number } {
  const lookup = (_name: string, options: { all?: boolean }, callback: (...args: never[]) => void): void => {
    lookup.asked++;
    const all: LookupAddress[] = addresses.map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }));
    const answer = callback as unknown as (...args: unknown[]) => void;
    process.nextTick(() => (options.all ? answer(null, all) : answer(null, all[0]!.address, all[0]!.family)));
  };
  lookup.asked = 0;
  return lookup as unknown as LookupFunction & { asked: number };
}

const kinds = [
  ['tcp', '', (lookup: LookupFunction) => createTcpTransport({ lookup })],
  ['ws', '/ws', (lookup: LookupFunction) => createWebSocketTransport({ lookup })],
] as const;

describe.each(kinds)('a name that a stranger claims, over %s', (_, suffix, create) => {
  const serve = async (lookup: LookupFunction) => {
    const b = createSecurePeer(2, { transports: [create(lookup)] });
    const [bound] = await b.manager.listen(`/ip4/127.0.0.1/tcp/0${suffix}`);
    const name = `/dns4/inside.example/tcp/${bound!.split('/')[4]}${suffix}`;
    return { b, name };
  };

  it('is not dialled where it leads to this machine, and not connected to either', async () => {
    const lookup = answering('127.0.0.1');
    const { b, name } = await serve(lookup);
    await using a = createSecurePeer(1, { transports: [create(lookup)], allowLocalAddresses: false });
    expect(a.manager.addressBook.add(b.identity.peerId, [name])).toBe(1);
    await expect(a.manager.connect(b.identity.peerId)).rejects.toMatchObject({ code: 'DIAL_FAILED' });
    expect(lookup.asked).toBe(1);
    expect([b.count('handshake-failed'), b.count('connection-opened')]).toEqual([0, 0]);
    await b[Symbol.asyncDispose]();
  });

  it('is dialled where the owner says so, or somebody on this machine', async () => {
    const lookup = answering('127.0.0.1');
    const { b, name } = await serve(lookup);
    for (const more of [{ source: 'manual' }, { toldBy: '/ip4/127.0.0.1/tcp/5' }] as const) {
      await using a = createSecurePeer(1, { transports: [create(lookup)], allowLocalAddresses: false });
      a.manager.addressBook.add(b.identity.peerId, [name], more);
      expect((await a.manager.connect(b.identity.peerId)).remotePeer).toBe(b.identity.peerId);
    }
    await using owner = createSecurePeer(3, { transports: [create(lookup)], allowLocalAddresses: false });
    expect((await owner.manager.connect(name)).remotePeer).toBe(b.identity.peerId);
    await b[Symbol.asyncDispose]();
  });

  it('is not connected to where it leads into a network that is banned, whoever gave it', async () => {
    const lookup = answering('127.0.0.1');
    const { b, name } = await serve(lookup);
    await using a = createSecurePeer(1, { transports: [create(lookup)] });
    a.manager.ban('127.0.0.0/8');
    await expect(a.manager.connect(name)).rejects.toMatchObject({ code: 'DIAL_FAILED' });
    a.manager.addressBook.add(b.identity.peerId, [name], { source: 'manual' });
    await expect(a.manager.connect(b.identity.peerId)).rejects.toMatchObject({ code: 'DIAL_FAILED' });
    expect([b.count('handshake-failed'), b.count('connection-opened')]).toEqual([0, 0]);
    await b[Symbol.asyncDispose]();
  });

  it('is connected to at those of its addresses that may be, and no others', async () => {
    const lookup = answering('10.0.0.1', '127.0.0.1', '169.254.169.254');
    const { b, name } = await serve(lookup);
    const [transport] = [create(lookup)];
    const asked: string[] = [];
    const isAllowedIp = (ip: Uint8Array): boolean => {
      asked.push(ip.join('.'));
      return ip[0] === 127;
    };
    const dialled = await transport.dial(name, { isAllowedIp });
    dialled.destroy();
    expect(asked).toEqual(['10.0.0.1', '127.0.0.1', '169.254.169.254']);
    await b[Symbol.asyncDispose]();
  });
});

it('a name whose claim runs out while it is dialled leads no nearer afterwards', async () => {
  const defer = (deliver: () => void): void => void setTimeout(deliver, 60);
  const network = createMemoryNetwork();
  const create = () => createMemoryTransport({ network, defer });
  await using b = createSecurePeer(2, { transports: [create()] });
  await b.manager.listen('/memory/b');
  await using a = createSecurePeer(1, { transports: [create()], allowLocalAddresses: false });
  a.manager.addressBook.add(b.identity.peerId, ['/memory/b'], { ttl: 50 });
  await a.manager.connect(b.identity.peerId);
  expect(a.manager.addressBook.addresses(b.identity.peerId)).toMatchObject([
    { source: 'proven', reach: 'global' },
  ]);
});

it('a look-up that knows one address only is understood', async () => {
  const lookup = ((_name: string, _options: object, callback: (...args: unknown[]) => void) =>
    callback(null, '127.0.0.1', 4)) as unknown as LookupFunction;
  const transport = createTcpTransport({ lookup });
  const dialled = transport.dial('/dns4/inside.example/tcp/9', { isAllowedIp: () => false });
  await expect(dialled).rejects.toMatchObject({ code: 'DIAL_FAILED' });
});

it('nothing is within the reach of a stranger but what is in the Internet', () => {
  const ips = ['127.0.0.1', '10.0.0.1', '169.254.169.254', '224.0.0.1', '0.0.0.0', '8.8.8.8'];
  expect(ips.map((ip) => isWithinReach(Uint8Array.from(ip.split('.'), Number), 'global'))).toEqual([
    false,
    false,
    false,
    false,
    false,
    true,
  ]);
});
