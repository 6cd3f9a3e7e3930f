import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createPrimitives, type Primitives } from '../src/index.ts';
import { runNoise } from './noise.ts';
import { type Outcome, VectorFileError } from './outcome.ts';
import { runWycheproof } from './wycheproof.ts';

const USAGE = `usage: pnpm --silent vectors <format> FILE

  noise       Noise vectors as snow and cacophony publish them
  wycheproof  a file of Project Wycheproof; the algorithm is taken from the file

Every vector is checked on every backend. Exit code: 0, 1 when a vector failed, 2 when there was nothing to check.`;

const FORMATS: Readonly<Record<string, (file: unknown, backends: readonly Primitives[]) => Outcome[]>> = {
  noise: runNoise,
  wycheproof: runWycheproof,
};

async function main(args: readonly string[]): Promise<number> {
  const [format = '', path, ...rest] = args;
  if (args.includes('--help')) {
    console.log(USAGE);
    return 0;
  }
  const run = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (run === undefined || path === undefined || rest.length > 0) return refuse(USAGE);
  const file = await readVectors(path);
  const backends = [createPrimitives('auto'), createPrimitives('sodium'), createPrimitives('node')];
  for (const backend of backends) await backend.ready();
  return report(run(file, backends));
}

async function readVectors(path: string): Promise<unknown> {
  // pnpm runs scripts at the root; the path is meant from where it was called.
  const from = process.env['INIT_CWD'] ?? process.cwd();
  const text = await readFile(resolve(from, path), 'utf8').catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'no such file' : error.message;
    throw new VectorFileError(`cannot read ${path}: ${reason}`);
  });
  try {
    return JSON.parse(text);
  } catch {
    throw new VectorFileError(`${path} is no JSON`);
  }
}

function report(outcomes: readonly Outcome[]): number {
  if (outcomes.length === 0) throw new VectorFileError('the file has no vectors');
  const count = { passed: 0, failed: 0, skipped: 0 };
  const skipped = new Map<string, number>();
  for (const outcome of outcomes) {
    count[outcome.kind]++;
    if (outcome.kind === 'failed') console.log(`FAILED ${outcome.vector}: ${outcome.reason}`);
    if (outcome.kind === 'skipped') skipped.set(outcome.algorithm, (skipped.get(outcome.algorithm) ?? 0) + 1);
  }
  for (const [algorithm, vectors] of skipped) console.log(`skipped, not offered: ${algorithm} (${vectors})`);
  console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  return count.failed > 0 ? 1 : 0;
}

function refuse(message: string): number {
  console.error(message);
  return 2;
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof VectorFileError) return refuse(error.message);
  throw error;
});
