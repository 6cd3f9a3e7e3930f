import { expect, it } from 'vitest';
import { fuzz } from '../../../checks/fuzz-engine.ts';
import { openKeptDatagrams, targets } from './fuzz/protocols.ts';

// The short form of `pnpm fuzz crypto`.
it.each(targets.map((target) => [target.name, target] as const))(
  '%s: mutations meet the one code or nothing',
  (_name, target) => {
    expect(() => fuzz(target, { runs: 400, seed: 1 })).not.toThrow();
  },
);

it('leaves the receivers of refused datagrams as they were (NZ-CHANNEL-01 §7.5)', () => {
  expect(openKeptDatagrams()).toEqual(Array.from({ length: 3 }, () => [10, 20, 30, 2_000, 5]));
});
