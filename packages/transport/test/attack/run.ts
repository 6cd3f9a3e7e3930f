/** `pnpm attack [names] [--scale S] [--seconds S] [--full] [--json]`: every attack against a peer of its own, with the figures; exit 1 when one got through. */
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { findViolations, formatMiB } from './bounds.ts';
import { type Outcome, runExperiment } from './experiment.ts';

const { values, positionals } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  allowPositionals: true,
  options: {
    scale: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '15' },
    full: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const known = readdirSync(new URL('attacks/', import.meta.url)).map((file) => file.replace(/\.ts$/, ''));
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0)
  throw new Error(`no attack is named ${unknown.join(', ')}; there are: ${known.join(', ')}`);

function format(outcome: Outcome, violations: readonly string[]): string {
  const { attack, quiet, attacked, done } = outcome;
  const counts = Object.entries(done).map(([name, count]) => `${count} ${name}`);
  const us = (milliseconds: number): string => `${Math.round(milliseconds * 1000)} us`;
  return [
    `${attack}: ${violations.length === 0 ? 'held' : 'NOT HELD'}`,
    `  attacker         ${counts.join(', ')}`,
    `  round trip p50   ${us(quiet.median)} quiet, ${us(attacked.median)} attacked (${(attacked.median / quiet.median).toFixed(2)}x)`,
    `  round trip p95   ${us(quiet.p95)} quiet, ${us(attacked.p95)} attacked (${(attacked.p95 / quiet.p95).toFixed(2)}x)`,
    `  memory           +${formatMiB(outcome.peakGrowth)} at most, +${formatMiB(outcome.leftGrowth)} afterwards, heap +${formatMiB(outcome.leftHeap)}`,
    `  load             ${Math.round(outcome.load * 100)} % of a core, ${Math.round(outcome.loadAfter * 100)} % afterwards`,
    ...violations.map((violation) => `  ! ${violation}`),
  ].join('\n');
}

for (const name of positionals.length > 0 ? positionals : known) {
  const outcome = await runExperiment([name], {
    scale: Number(values.scale),
    milliseconds: Number(values.seconds) * 1000,
    isFull: values.full,
  });
  const violations = findViolations(outcome);
  if (violations.length > 0) process.exitCode = 1;
  const line = values.json ? JSON.stringify({ ...outcome, violations }) : `${format(outcome, violations)}\n`;
  process.stdout.write(`${line}\n`);
}
