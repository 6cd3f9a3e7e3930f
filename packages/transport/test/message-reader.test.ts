import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryBudget } from '../src/messages/memory-budget.ts';
import { encodeMessageHeader, type MessageHeader, MessageKind } from '../src/messages/message-frames.ts';
import { MessageReader } from '../src/messages/message-reader.ts';
import { BodyAssembler } from '../src/messages/request-body.ts';

const KiB = 1024;

function frame(id: number, length: number, hasMore = false): Uint8Array {
  const bytes = new Uint8Array(8 + length).fill(id, 8);
  encodeMessageHeader(bytes, { kind: MessageKind.request, id, length, hasMore, isCompressed: false });
  return bytes;
}

/** The bytes in pieces of at most that length. */
function* pieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

describe('a frame that arrives in pieces', () => {
  it('takes at most twice the memory that has arrived of it, and gives all of it back', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 64 * KiB }),
        fc.integer({ min: 1, max: 20 * KiB }),
        (length, size) => {
          const memory = createMemoryBudget(64 * KiB);
          const payloads: Uint8Array[] = [];
          const reader = new MessageReader((_header, payload) => payloads.push(payload), [], { memory });
          let arrived = 0;
          for (const piece of pieces(frame(7, length), size)) {
            reader.push(piece);
            arrived += piece.length;
            expect(memory.used).toBeLessThanOrEqual(2 * arrived);
          }
          expect(payloads).toEqual([new Uint8Array(length).fill(7)]);
          expect(memory.used).toBe(0);
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('a frame that nobody wants', () => {
  it.each([
    [1, 'whole'],
    [5 * KiB, 'in pieces'],
  ])('is skipped without memory for it, and those behind it are read (%d, %s)', (size) => {
    const taken: number[] = [];
    const skipped: MessageHeader[] = [];
    const payloads: Uint8Array[] = [];
    let isWanted = false;
    const memory = createMemoryBudget(2 ** 20);
    const reader = new MessageReader((_header, payload) => payloads.push(payload), [], {
      memory: {
        ...memory,
        take: (bytes) => {
          taken.push(bytes);
          return memory.take(bytes);
        },
      },
      onSkipped: (header) => skipped.push(header),
      isWanted: () => isWanted,
    });
    const step = size === 1 ? 64 * KiB : size;
    for (const piece of pieces(frame(1, 40 * KiB), step)) reader.push(piece);
    expect([skipped.length, skipped[0]?.length, payloads.length, taken.length]).toEqual([1, 40 * KiB, 0, 0]);
    isWanted = true;
    for (const piece of pieces(frame(2, 3 * KiB), step)) reader.push(piece);
    expect(payloads).toEqual([new Uint8Array(3 * KiB).fill(2)]);
  });

  it('is bounded all the same: a body that is skipped may not be longer than one that is read', () => {
    const budget = createMemoryBudget(100 * KiB);
    const ended: number[] = [];
    const body = new BodyAssembler({ maxBodyLength: 512 * KiB }, budget, {
      onBody: () => undefined,
      onSkipped: (_kind, id) => ended.push(id),
    });
    const read: number[] = [];
    const reader = new MessageReader(
      (header, payload) => {
        read.push(payload.length);
        body.onFrame(header, payload);
      },
      [],
      { memory: budget, onSkipped: (header) => body.onSkippedFrame(header), isWanted: () => body.isWanted },
    );
    const send = (hasMore: boolean): unknown => reader.push(frame(3, 64 * KiB, hasMore));
    for (let i = 0; i < 4; i++) send(true);
    // Two of them were put together, and then there was no room.
    expect(read).toHaveLength(2);
    expect([budget.used, body.isWanted]).toEqual([0, false]);
    send(false);
    expect([ended, body.isWanted]).toEqual([[3], true]);
    const tooMuch = (): void => {
      for (let i = 0; i < 9; i++) send(true);
    };
    expect(tooMuch).toThrow(expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }));
  });
});
