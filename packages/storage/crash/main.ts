import { parseArgs } from 'node:util';
import { runCrashes } from './run.ts';

// `pnpm crash [--runs 200]`

const { values } = parseArgs({ options: { runs: { type: 'string', default: '200' } } });
const runs = Number(values.runs);
if (!Number.isSafeInteger(runs) || runs < 1) throw new RangeError('--runs must be a positive integer');

let torn = 0;
let checked = 0;
await runCrashes({
  runs,
  onRun: (run, report) => {
    if (report.isTorn) torn++;
    checked += report.acknowledged;
    if ((run + 1) % 10 === 0) process.stderr.write(`${run + 1}/${runs}\n`);
  },
});
process.stdout.write(
  `${runs} kills: nothing acknowledged was lost, nothing torn was believed ` +
    `(${checked} checks of what was acknowledged, ${torn} torn tails of the log cut)\n`,
);
