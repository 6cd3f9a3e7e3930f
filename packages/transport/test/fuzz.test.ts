import { describe, it } from 'vitest';
import { fuzz, fuzzAsync } from '../../../checks/fuzz-engine.ts';
import { targets as addresses } from './fuzz/addresses.ts';
import { targets as datagrams } from './fuzz/datagrams.ts';
import { targets as webSockets } from './fuzz/web-sockets.ts';
import { targets as wire } from './fuzz/wire.ts';

// The short form of `pnpm fuzz transport`.
const RUNS = 2000;
const targets = [...wire, ...datagrams, ...addresses];

describe('parsers of what a peer sends', () => {
  it.each(targets.map((target) => [target.name, target] as const))('%s: a value or the code', (_, target) => {
    fuzz(target, { runs: RUNS, seed: 1 });
  });

  it.each(webSockets.map((target) => [target.name, target] as const))(
    '%s: an end with its code',
    (_, target) => fuzzAsync(target, { runs: RUNS, seed: 1 }),
  );
});
