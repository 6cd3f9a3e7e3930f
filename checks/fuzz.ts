import { readdir } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type AsyncFuzzTarget, type FuzzTarget, fuzz, fuzzAsync } from './fuzz-engine.ts';

// pnpm fuzz <package> [--runs 1000000] [--seed 1] [--target part-of-its-name]
// Runs every target that packages/<package>/test/fuzz/*.ts export as `targets`.
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    target: { type: 'string', default: '' },
  },
});
const [name] = positionals;
if (name === undefined || !/^[a-z-]+$/.test(name)) {
  console.error('usage: pnpm fuzz <package> [--runs 1000000] [--seed 1] [--target part-of-its-name]');
  process.exit(2);
}

const folder = fileURLToPath(new URL(`../packages/${name}/test/fuzz/`, import.meta.url));
const files = (await readdir(folder)).filter((file) => file.endsWith('.ts')).sort();
const runs = Number(values.runs);
const seed = Number(values.seed);
for (const file of files) {
  const { targets } = (await import(pathToFileURL(folder + file).href)) as {
    targets?: readonly (FuzzTarget | AsyncFuzzTarget)[];
  };
  for (const target of targets ?? []) {
    if (!target.name.includes(values.target)) continue;
    const started = performance.now();
    const options = {
      runs,
      seed,
      onProgress: (done: number) => process.stderr.isTTY && process.stderr.write(`\r${target.name}: ${done}`),
    };
    if ('run' in target) fuzz(target, options);
    else await fuzzAsync(target, options);
    const seconds = (performance.now() - started) / 1000;
    console.log(`${target.name}: ${runs} runs in ${seconds.toFixed(1)} s, seed ${seed}, no finding`);
  }
}
