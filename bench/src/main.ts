import type { Contestant, Trial } from './area.ts';
import { type BenchOptions, parseBenchOptions } from './command-line.ts';
import { type Gate, readGates, standingOf } from './gates.ts';
import { startLoad } from './load.ts';
import { loadArea } from './load-area.ts';
import { formatJsonRow, formatMarkdownRow, formatTable, markdownHead } from './report.ts';
import { type Row, runTrial } from './rounds.ts';

function select(trials: readonly Trial[], { metrics, peers }: BenchOptions): Trial[] {
  const wanted = ({ name }: Contestant) => name === 'ours' || peers.length === 0 || peers.includes(name);
  return trials
    .filter((trial) => metrics.length === 0 || trial.metrics.some(({ name }) => metrics.includes(name)))
    .map((trial) => ({ ...trial, contestants: trial.contestants.filter(wanted) }))
    .filter((trial) => trial.contestants.length > 1);
}

function print(rows: readonly Row[], gates: readonly Gate[], { area, json, markdown }: BenchOptions): void {
  const node = process.versions.node;
  if (json) {
    for (const row of rows) process.stdout.write(`${formatJsonRow(row, { area, node })}\n`);
    return;
  }
  if (markdown) {
    for (const row of rows) process.stdout.write(`${formatMarkdownRow(row, gates)}\n`);
    return;
  }
  const metrics = new Set(rows.map((row) => row.metric));
  for (const metric of metrics) {
    process.stdout.write(
      `${formatTable(
        rows.filter((row) => row.metric === metric),
        gates,
      )}\n\n`,
    );
  }
}

async function main(): Promise<void> {
  const options = parseBenchOptions(process.argv.slice(2));
  const area = await loadArea(options.area, new URL('areas/', import.meta.url));
  const gates = readGates(new URL(`../gates/${area.name}.json`, import.meta.url));
  const rounds = options.rounds ?? area.defaultRounds ?? 7;
  const nodeMajor = Number(process.versions.node.split('.')[0]);
  if (!options.json)
    process.stdout.write(
      `${area.name} on Node ${process.versions.node}, ${rounds} rounds${options.load ? `, CPUs kept ${options.load}` : ''}\n\n`,
    );
  if (options.markdown) process.stdout.write(`${markdownHead}\n`);
  const onNote = (note: string) => process.stderr.write(`bench: ${note}\n`);
  const endLoad = options.load && (await startLoad(options.load));
  let failed = 0;
  for (const trial of select(area.trials, options)) {
    const names = trial.metrics.map(({ name }) => name).join(', ');
    try {
      const rows = await runTrial(trial, { rounds, nodeMajor, onNote });
      print(rows, gates, options);
      if (options.gate) failed += rows.filter((row) => standingOf(gates, row) === 'below gate').length;
    } catch (error) {
      failed++;
      onNote(`${names}: ours failed: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }
  endLoad?.();
  process.exit(failed > 0 ? 1 : 0);
}

await main();
