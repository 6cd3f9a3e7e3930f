import { expect, it } from 'vitest';
import type { Stream } from '../src/mux/stream.ts';
import { collect, connectPeers } from './connected.ts';
import { createMuxPair } from './mux-pair.ts';
import { until } from './secure-peer.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('the streams of a connection that ends fail in turns, however many they are, and give their places back', async () => {
  let places = 0;
  const pair = createMuxPair({
    budget: {
      take: () => {
        places++;
        return true;
      },
      give: () => {
        places--;
      },
      cover: () => true,
      isScarce: false,
    },
  });
  for (let i = 0; i < 1000; i++) pair.a.mux.openStream('/x');
  await pair.settle();
  expect(places).toBe(1000);
  const ends = pair.b.accepted.map((stream) => collect(stream));
  const failed = (): number => ends.filter(({ error }) => error !== undefined).length;
  pair.b.mux.fail(new Error('over'));
  expect(failed()).toBe(64);
  // Those that wait are of no use to anybody, and harm nobody.
  const last = pair.b.accepted.at(-1)!;
  expect(last.write(new Uint8Array(100))).toBe(false);
  await expect(last.closeWrite()).rejects.toThrow('over');
  await expect(last.drained()).rejects.toThrow('over');
  pair.b.accepted.at(-2)!.reset();
  let before = failed();
  while (failed() < 1000) {
    await turn();
    expect(failed() - before).toBeLessThanOrEqual(32);
    before = failed();
  }
  expect([places, pair.b.mux.streams.size]).toEqual([0, 0]);
  expect(ends.map(({ error }) => error?.message).filter((message) => message === 'over')).toHaveLength(1000);
});

it('all fail, on both sides, when a connection of many is dropped', async () => {
  const accepted: Stream[] = [];
  await using peers = await connectPeers({ far: { onStream: (stream) => accepted.push(stream) } });
  const near: Stream[] = [];
  for (let i = 0; i < 500; i++) near.push(await peers.near.openStream('/x'));
  await peers.near.ping();
  const ends = [...near, ...accepted].map((stream) => collect(stream));
  peers.far.abort();
  await until(() => ends.every(({ error }) => error !== undefined));
  expect([peers.near.stats.streams, peers.far.stats.streams]).toEqual([0, 0]);
});
