import { expect, it } from 'vitest';
import { fuzz } from '../../../checks/fuzz-engine.ts';
import { targets } from './fuzz/decoders.ts';

// The short form of `pnpm fuzz storage`.
it.each(targets.map((target) => [target.name, target] as const))(
  '%s: mutations meet their codes, and no forgery is believed',
  (_name, target) => {
    expect(() => fuzz(target, { runs: 500, seed: 1 })).not.toThrow();
  },
);
