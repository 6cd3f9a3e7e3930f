import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GrowingBytes } from '../../src/channel/growing-bytes.ts';
import { ReplayWindow } from '../../src/channel/replay-window.ts';

describe('the replay window (RFC 6479, NZ-CHANNEL-01 §7.2)', () => {
  it('answers like a set of all counters that were seen', () => {
    const steps = fc.array(
      fc.oneof(fc.integer({ min: -40, max: 40 }), fc.integer({ min: -1_100, max: 5_000 })),
      { maxLength: 300 },
    );
    fc.assert(
      fc.property(steps, (deltas) => {
        const [window, seen] = [new ReplayWindow(), new Set<number>()];
        let newest = 0;
        for (const delta of deltas) {
          const counter = Math.max(0, newest + delta);
          const isTooOld = seen.size > 0 && newest - counter >= 1_024;
          expect(window.accepts(counter)).toBe(!isTooOld && !seen.has(counter));
          if (!window.accepts(counter)) continue;
          window.add(counter);
          seen.add(counter);
          newest = Math.max(...seen);
        }
      }),
    );
  });

  it('works at the end of the counters', () => {
    const window = new ReplayWindow();
    window.add(2 ** 32 - 2);
    expect(window.accepts(2 ** 32 - 2)).toBe(false);
    expect(window.accepts(2 ** 32 - 3)).toBe(true);
    expect(window.accepts(2 ** 32 - 2 - 1_024)).toBe(false);
  });
});

describe('bytes of a record that arrive in pieces (NZ-CHANNEL-01 §5.1)', () => {
  it('take memory for what has come, not for what was announced', () => {
    const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 3_000 }), { maxLength: 30 });
    fc.assert(
      fc.property(pieces, (list) => {
        const total = list.reduce((sum, { length }) => sum + length, 0);
        const announced = Math.max(total, 66_577);
        const bytes = new GrowingBytes(announced);
        let length = 0;
        for (const piece of list) {
          bytes.append(piece);
          length += piece.length;
          expect(bytes.take().buffer.byteLength).toBeLessThanOrEqual(Math.max(512, 4 * length));
        }
        expect(Buffer.from(bytes.take())).toEqual(Buffer.concat(list));
      }),
    );
  });
});
