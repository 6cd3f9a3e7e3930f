import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { defaultBounds, findViolations } from './bounds.ts';
import { runExperiment } from './experiment.ts';

const attacks = readdirSync(new URL('attacks/', import.meta.url)).map((file) => file.replace(/\.ts$/, ''));

// The short form of `pnpm attack`. Latency is measured there: beside other tests it says nothing.
const bounds = { ...defaultBounds, latencyRatio: 100, tail: 5000, loadAfter: 0.5 };

it('serves honest peers, old and new, while every attack goes on at once, and gives everything back', async () => {
  const outcome = await runExperiment(attacks, { scale: 0.01, milliseconds: 2500 });
  expect(findViolations(outcome, bounds)).toEqual([]);
  expect(outcome.attacked.samples).toBeGreaterThan(10);
}, 60_000);
