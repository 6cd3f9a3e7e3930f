import { expect, it } from 'vitest';
import { createMemoryBudget } from '../src/messages/memory-budget.ts';
import { encodeMessageHeader, type MessageHeader, MessageKind } from '../src/messages/message-frames.ts';
import { MessageReader } from '../src/messages/message-reader.ts';
import { createRequester } from '../src/messages/requester.ts';
import type { Stream } from '../src/mux/stream.ts';
import { connectPeers } from './connected.ts';
import { until } from './secure-peer.ts';

/** The header of a frame and the first bytes of it. */
function beginning(kind: number, length: number, arrived: number): Uint8Array {
  const bytes = new Uint8Array(8 + arrived);
  encodeMessageHeader(bytes, { kind, id: 1, length, hasMore: false, isCompressed: false });
  return bytes;
}

it('gives the memory of a frame back when there is not enough for the rest of it, and goes on behind it', () => {
  const budget = createMemoryBudget(10_000);
  const skipped: MessageHeader[] = [];
  const frames: number[] = [];
  const reader = new MessageReader((_header, payload) => frames.push(payload.length), [], {
    memory: budget,
    onSkipped: (header) => skipped.push(header),
  });
  reader.push(beginning(MessageKind.message, 40_000, 4_000));
  expect(budget.used).toBeGreaterThanOrEqual(4_000);
  reader.push(new Uint8Array(8_000));
  // Nothing of it is kept while the rest still comes.
  expect([budget.used, reader.heldBytes]).toEqual([0, 0]);
  reader.push(new Uint8Array(28_000));
  expect(skipped.map(({ length }) => length)).toEqual([40_000]);
  reader.push(beginning(MessageKind.message, 5, 5));
  reader.push(beginning(MessageKind.message, 6_000, 3_000));
  reader.push(new Uint8Array(3_000));
  expect([frames, budget.used]).toEqual([[5, 6_000], 0]);
});

it('a requester that is closed keeps nothing of the answer that was on its way', async () => {
  const count = 64;
  const streams: Stream[] = [];
  await using peers = await connectPeers({ far: { onStream: (stream) => void streams.push(stream) } });
  const requesters = await Promise.all(
    Array.from({ length: count }, async () => createRequester(await peers.near.openStream('/test/1'))),
  );
  await until(() => streams.length === count);
  for (const stream of streams) stream.write(beginning(MessageKind.response, 65_536, 65_000));
  await until(() => peers.near.messageMemory.used >= count * 65_000);
  const before = process.memoryUsage().arrayBuffers;
  for (const requester of requesters) requester.close();
  // At once, without waiting for the collector: each has almost 64 KiB of its own.
  expect(before - process.memoryUsage().arrayBuffers).toBeGreaterThan((count * 65_000) / 2);
  expect(peers.near.messageMemory.used).toBe(0);
});
