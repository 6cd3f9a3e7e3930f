import { describe, expect, it } from 'vitest';
import { createMessageMemory, type HeldMemory, OWN_SHARE } from '../src/messages/memory-budget.ts';
import { createSharedMemory, type MemoryShare, type SharedMemory } from '../src/messages/shared-memory.ts';

/** A holder that ends whole blocks, and its name in `ended`. */
function holder(memory: SharedMemory, ended: string[], { name, group, blocks }: HolderOptions): MemoryShare {
  const share = memory.join({
    group,
    shed: () => {
      const block = blocks?.shift();
      if (block === undefined) return false;
      ended.push(name);
      share.give(block);
      return true;
    },
  });
  for (const block of blocks ?? []) expect(share.take(block)).toBe(true);
  return share;
}

interface HolderOptions {
  readonly name: string;
  readonly group?: string;
  readonly blocks?: number[];
}

describe('memory that several share', () => {
  it('is taken from who holds most for who holds less, and not the other way round', () => {
    const memory = createSharedMemory(1000);
    const ended: string[] = [];
    const hog = holder(memory, ended, { name: 'hog', blocks: [300, 300, 100] });
    const other = holder(memory, ended, { name: 'other', blocks: [100, 100] });
    const late = holder(memory, ended, { name: 'late' });
    expect(late.take(300)).toBe(true);
    expect([ended, memory.used]).toEqual([['hog'], 900]);
    // Four hundred would be as much as the hog has left: nobody gives way to equals.
    expect([hog.take(200), other.take(300), late.take(150)]).toEqual([false, false, false]);
    expect([ended, memory.used]).toEqual([['hog'], 900]);
    expect([late.take(100), memory.used]).toEqual([true, 1000]);
  });

  it('is not taken from anybody for more than a fair part', () => {
    const memory = createSharedMemory(1000);
    const ended: string[] = [];
    holder(memory, ended, { name: 'hog', blocks: [300, 300, 100] });
    const other = holder(memory, ended, { name: 'other', blocks: [200] });
    expect([other.take(350), ended]).toEqual([false, []]);
    expect([other.take(300), ended]).toEqual([true, ['hog']]);
  });

  it('is not taken from who holds less, though who holds most has nothing to end', () => {
    const memory = createSharedMemory(1000);
    const ended: string[] = [];
    holder(memory, ended, { name: 'stubborn' }).take(600);
    holder(memory, ended, { name: 'small', blocks: [50, 50] });
    const other = holder(memory, ended, { name: 'other', blocks: [250] });
    expect([other.take(80), ended]).toEqual([false, []]);
  });

  it('is given back by the slowest first, then by the largest that is unfinished', () => {
    const shared = createSharedMemory(1000);
    const bounds = { maxMessageBytes: 2 ** 30, maxMessageStreams: 1, shared };
    const hog = createMessageMemory(bounds);
    const ended: string[] = [];
    expect(hog.take(OWN_SHARE + 1000)).toBe(true);
    const held = [
      { name: 'small', unfinished: 200, slowness: 0 },
      { name: 'whole', unfinished: 0, slowness: 0.9 },
      { name: 'large', unfinished: 400, slowness: 0 },
      { name: 'slow', unfinished: 100, slowness: 0.5 },
    ];
    for (const { name, unfinished, slowness } of held) {
      const one: HeldMemory = {
        unfinished,
        slowness,
        look: () => undefined,
        evict: (code) => {
          ended.push(`${name} ${code}`);
          hog.unwatch(one);
          hog.give(unfinished);
        },
      };
      hog.watch(one);
    }
    const other = createMessageMemory(bounds);
    expect(other.take(OWN_SHARE + 450)).toBe(true);
    expect(ended).toEqual(['slow 9', 'large 9']);
  });

  it('counts a group as one: many connections of one subnet get no more than a single one of another', () => {
    const memory = createSharedMemory(1000);
    const ended: string[] = [];
    for (let i = 0; i < 10; i++) {
      holder(memory, ended, { name: 'hog', group: 'a', blocks: [100] });
    }
    const one = holder(memory, ended, { name: 'one', group: 'b' });
    for (let i = 0; i < 5; i++) expect(one.take(100)).toBe(true);
    expect(one.take(100)).toBe(false);
    expect(ended).toEqual(Array(5).fill('hog'));
  });

  it('is shared fairly within a group as well, and who has nothing to end is passed over', () => {
    const memory = createSharedMemory(1000);
    const ended: string[] = [];
    holder(memory, ended, { name: 'stubborn', group: 'a' }).take(600);
    holder(memory, ended, { name: 'hog', group: 'a', blocks: [100, 100, 100, 100] });
    const neighbour = holder(memory, ended, { name: 'neighbour', group: 'a' });
    expect([neighbour.take(100), neighbour.take(100), neighbour.take(100)]).toEqual([true, true, false]);
    expect(ended).toEqual(['hog', 'hog']);
    expect(memory.used).toBe(1000);
  });
});
