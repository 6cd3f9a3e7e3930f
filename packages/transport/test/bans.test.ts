import { peerIdFromPublicKey } from '@nzcore/identity';
import { describe, expect, it } from 'vitest';
import { type Bans, createBans } from '../src/manager/bans.ts';
import { createFakeClock } from '../src/testing.ts';
import { createMapStore } from './map-store.ts';
import { createSecurePeer } from './secure-peer.ts';

const PEER = peerIdFromPublicKey(new Uint8Array(32).fill(1));
const OTHER = peerIdFromPublicKey(new Uint8Array(32).fill(2));
const listed = (bans: Bans): string[] => bans.list().map(({ target }) => target);

describe('bans', () => {
  it('survive a restart, until they end', async () => {
    const clock = createFakeClock();
    const store = createMapStore();
    const bans = createBans({ clock, store });
    bans.ban(PEER);
    bans.ban(OTHER, clock.now() + 60_000);
    bans.ban('2001:db8::/32');
    bans.ban('192.0.2.1', clock.now() + 1_000);
    bans.unban('192.0.2.1');
    await bans.flush();
    const again = createBans({ clock, store });
    await again.load();
    expect(again.list()).toEqual(bans.list());
    expect(again.isPeerBanned(PEER)).toBe(true);
    expect(again.isAddressBanned('/ip6/2001:db8:1::1/tcp/1')).toBe(true);
    await clock.advance(61_000);
    const later = createBans({ clock, store });
    await later.load();
    expect(listed(later)).toEqual([PEER, '2001:db8::/32']);
    await later.flush();
    // What is over is gone from the store as well.
    const names: string[] = [];
    for await (const [key] of store.iterate()) names.push(new TextDecoder().decode(key));
    expect(names).toEqual([`ban/${PEER}`, 'ban/2001:db8::/32']);
  });

  it('are stored, whenever they are made beside a write that is under way', async () => {
    for (let steps = 0; steps < 12; steps++) {
      const [clock, store] = [createFakeClock(), createMapStore()];
      const bans = createBans({ clock, store });
      bans.ban('192.0.2.1');
      for (let step = 0; step < steps; step++) await Promise.resolve();
      bans.ban('192.0.2.2');
      await new Promise((resolve) => setTimeout(resolve));
      await bans.flush();
      const again = createBans({ clock, store });
      await again.load();
      expect(listed(again)).toEqual(['192.0.2.1', '192.0.2.2']);
    }
  });

  it('are bounded: what ends first gives way, and what never ends is not forgotten', () => {
    const clock = createFakeClock();
    const bans = createBans({ clock, maxBans: 3 });
    bans.ban('192.0.2.1', clock.now() + 3_000);
    bans.ban('192.0.2.2', clock.now() + 1_000);
    bans.ban('192.0.2.3', clock.now() + 2_000);
    bans.ban('192.0.2.4');
    expect(listed(bans)).toEqual(['192.0.2.1', '192.0.2.3', '192.0.2.4']);
    bans.ban('192.0.2.5');
    bans.ban('192.0.2.6');
    expect(() => bans.ban('192.0.2.7')).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
    bans.ban('192.0.2.6', clock.now() + 1);
    bans.ban('192.0.2.7');
    expect(listed(bans)).toEqual(['192.0.2.4', '192.0.2.5', '192.0.2.7']);
  });

  it('read no damaged record for a ban, and report a store that fails', async () => {
    const clock = createFakeClock();
    const store = createMapStore();
    const put = (name: string, value: string): Promise<unknown> =>
      store.put(new TextEncoder().encode(`ban/${name}`), new TextEncoder().encode(value));
    await put(PEER, 'nonsense');
    await put('everybody', '{"version":1,"until":null}');
    await put('192.0.2.9', '{"version":1,"until":null}');
    const errors: unknown[] = [];
    const failing = { ...store, put: () => Promise.reject(new Error('the disk is full')) };
    const bans = createBans({ clock, store: failing, onError: (error) => errors.push(error) });
    await bans.load();
    expect(listed(bans)).toEqual(['192.0.2.9']);
    bans.ban(PEER);
    await bans.flush();
    expect(errors).toEqual([new Error('the disk is full')]);
    expect(bans.isPeerBanned(PEER)).toBe(true);
  });

  it('find an address among ten thousand networks without looking at each', () => {
    const bans = createBans({ clock: createFakeClock() });
    for (let n = 0; n < 9_999; n++) bans.ban(`10.${n >> 8}.${n & 255}.0/24`);
    bans.ban('0.0.0.0/0', 1);
    const started = performance.now();
    for (let n = 0; n < 2_000; n++) expect(bans.isAddressBanned(`/ip4/192.0.2.${n & 255}/tcp/1`)).toBe(false);
    // Twenty million comparisons would take seconds.
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(bans.isAddressBanned('/ip4/10.3.7.9/tcp/1')).toBe(true);
  });

  it('of the last run hold before the first connection of this one, in both directions', async () => {
    const store = createMapStore();
    const stranger = createSecurePeer(7);
    {
      await using first = createSecurePeer(1, { store });
      first.manager.ban(stranger.identity.peerId);
      await first.manager.bans.flush();
    }
    await using again = createSecurePeer(1, { store });
    const [bound] = await again.manager.listen('/ip4/127.0.0.1/tcp/0');
    await stranger.manager.connect(bound!).catch(() => undefined);
    expect(again.count('connection-opened')).toBe(0);
    expect(again.manager.connections()).toEqual([]);
    const [other] = await stranger.manager.listen('/ip4/127.0.0.1/tcp/0');
    const target = `${other}/p2p/${stranger.identity.peerId}`;
    await expect(again.manager.connect(target)).rejects.toMatchObject({ code: 'BANNED' });
    await stranger[Symbol.asyncDispose]();
  });
});
