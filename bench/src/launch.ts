/**
 * What `pnpm bench` starts, from source and on whatever Node there is: builds the product's packages, installs this package
 * at its first use, compiles and type-checks it, and runs it on the Node that was asked for. Imports nothing that has to be installed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseBenchOptions, usage } from './command-line.ts';
import { loadArea } from './load-area.ts';

const room = new URL('../', import.meta.url);
const root = new URL('../', room);

/** Runs a command with its output on our stderr, so that stdout holds nothing but results. */
function run(command: string, args: readonly string[], cwd: URL): void {
  const { status, error } = spawnSync(command, args, {
    cwd: fileURLToPath(cwd),
    stdio: ['ignore', 2, 2],
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' },
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}

function runPnpm(args: readonly string[], cwd: URL): void {
  const pnpm = process.env['npm_execpath'];
  if (pnpm !== undefined && /pnpm\.[cm]?js$/.test(pnpm)) run(process.execPath, [pnpm, ...args], cwd);
  else run('npx', ['-y', 'pnpm@12', ...args], cwd);
}

/** Installs the peers when the lockfile is another one than at the last install. */
function install(): void {
  const lockfile = readFileSync(new URL('pnpm-lock.yaml', room), 'utf8');
  const installed = new URL('node_modules/.installed-lockfile', room);
  if (existsSync(installed) && readFileSync(installed, 'utf8') === lockfile) return;
  process.stderr.write('bench: installing the peers (once)\n');
  runPnpm(['install', '--frozen-lockfile'], room);
  writeFileSync(installed, lockfile);
}

/** The product as its users get it: built, without the source condition. */
function build(): void {
  runPnpm(['exec', 'turbo', 'run', 'build', '--output-logs=errors-only', '--filter=./packages/*'], root);
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], room);
}

function nodeFor(major: string | undefined): string {
  if (major === undefined || process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const node = fileURLToPath(new URL(`node_modules/node-${major}/bin/node`, room));
  if (!existsSync(node))
    throw new Error(`Node ${major} comes from npm for Linux on x64 only: run this with Node ${major}`);
  return node;
}

async function defaultNodeOf(name: string): Promise<string | undefined> {
  const area = await loadArea(name, new URL('dist/areas/', room));
  return area.defaultNode?.toString();
}

async function launch(args: readonly string[]): Promise<number> {
  const checkOnly = args.length === 1 && args[0] === 'check';
  const options = checkOnly ? undefined : parseBenchOptions(args);
  install();
  build();
  if (options === undefined) return 0;
  const node = nodeFor(options.node ?? (await defaultNodeOf(options.area)));
  const main = fileURLToPath(new URL('dist/main.js', room));
  return spawnSync(node, ['--expose-gc', main, ...args], { stdio: 'inherit' }).status ?? 1;
}

try {
  process.exitCode = await launch(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
  process.exitCode = 1;
}
