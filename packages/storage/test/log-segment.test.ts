import { ready } from '@nzcore/crypto';
import { expect, it } from 'vitest';
import type { OpenedFile } from '../src/files.ts';
import { EMPTY_CHAIN, encodeEntry, SEGMENT_HEADER_BYTES, segmentKey } from '../src/log/log-codec.ts';
import { findLaterEntry } from '../src/log/log-segment.ts';
import { newSegment } from '../src/log/log-state.ts';

const MEBIBYTE = 1_048_576;

it.each([SEGMENT_HEADER_BYTES + 1, 262_144 + SEGMENT_HEADER_BYTES - 20, 3 * MEBIBYTE])(
  'a later entry is found behind any damage (at %i), without the whole tail in memory',
  async (position) => {
    await ready();
    const segment = newSegment(0, EMPTY_CHAIN);
    using key = segmentKey(segment.key);
    const content = { sequence: 9, durable: 8, previous: EMPTY_CHAIN, data: new Uint8Array(500) };
    const bytes = new Uint8Array(4 * MEBIBYTE);
    bytes.set(encodeEntry(key, new Uint8Array(24).fill(1), content), position);
    let largest = 0;
    const file: Pick<OpenedFile, 'read'> = {
      read: async (target, at) => {
        largest = Math.max(largest, target.length);
        const part = bytes.subarray(at, at + target.length);
        target.set(part);
        return part.length;
      },
    };
    const reading = { segment, chainKey: new Uint8Array(32), limit: bytes.length };
    const damage = { position: SEGMENT_HEADER_BYTES, sequence: 0 };
    const found = await findLaterEntry(file as OpenedFile, reading, damage);
    expect(found).toMatchObject({ sequence: 9, durable: 8 });
    expect(largest).toBeLessThan(MEBIBYTE);
  },
);
