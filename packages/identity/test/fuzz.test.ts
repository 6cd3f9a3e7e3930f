import { describe, expect, it } from 'vitest';
import { type FuzzTarget, fuzz } from '../../../checks/fuzz-engine.ts';
import { targets } from './fuzz/decoders.ts';

// The short form of `pnpm fuzz identity`.
const RUNS = 500;

describe('decoders of what comes from outside', () => {
  it.each(targets.map((target) => [target.name, target] as const))(
    '%s answers or refuses with its code',
    (_, target) => {
      fuzz(target, { runs: RUNS, seed: 1 });
    },
  );

  it('would be found out if one did anything else', () => {
    const target: FuzzTarget = {
      name: 'faulty',
      seeds: [Uint8Array.of(1, 2, 3)],
      run: (input) => {
        if (input[0] === 0xff) throw new TypeError('a fault');
      },
    };
    expect(() => fuzz(target, { runs: 10_000, seed: 1 })).toThrow(/faulty: run \d+ with ff/);
  });
});
