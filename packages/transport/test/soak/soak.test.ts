import { ready } from '@nzcore/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectAndClose, failDials, openSoakPeers } from './cycles.ts';
import { openDeadEnds } from './dead-ends.ts';
import { measureIdle } from './idle.ts';
import { sendLargeMessage } from './large-message.ts';
import { findGrowth, measureResources } from './resources.ts';

// The short form of `pnpm soak`: handles and timers are exact, the heap is only looked at coarsely.
const KiB = 1024;

beforeAll(ready);

describe('a peer that runs for long', () => {
  it('keeps nothing of connections that were opened and ended in every way', async () => {
    await using peers = await openSoakPeers();
    await connectAndClose(peers, 100);
    const before = await measureResources();
    await connectAndClose(peers, 200);
    expect(findGrowth(before, await measureResources(), 1024 * KiB)).toEqual([]);
  });

  it('keeps nothing of dials that failed', async () => {
    await using peers = await openSoakPeers();
    await using deadEnds = await openDeadEnds(peers);
    await failDials(peers.dialler, deadEnds, 40);
    const before = await measureResources();
    expect(await failDials(peers.dialler, deadEnds, 100)).toBe(100);
    expect(findGrowth(before, await measureResources(), 1024 * KiB)).toEqual([]);
  });

  it('carries a message of 128 MiB in a small part of that memory, and every byte at its place', async () => {
    await using peers = await openSoakPeers();
    const { bytes, underWay } = await sendLargeMessage(peers, 128 * 1024 * KiB);
    expect(bytes).toBe(128 * 1024 * KiB);
    expect(underWay).toBeLessThan(48 * 1024 * KiB);
  });

  it('keeps at most 32 KiB of heap for an idle connection', async () => {
    const { heap } = await measureIdle(100);
    expect(heap).toBeLessThan(32 * KiB);
  });
});
