// Builds the peer and the packages below it, unless they are built from exactly the files that are there.
// Asking turbo for that takes longer than the peer needs to start, and needs pnpm: this needs neither.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const stampFile = join(root, 'node_modules/.cache/nzcore/built');
const rootInputs = [
  'package.json',
  'pnpm-lock.yaml',
  'pnpm-workspace.yaml',
  'tsconfig.base.json',
  'tsup.shared.ts',
  'turbo.json',
];

function filesAt(path) {
  const entry = statSync(path, { throwIfNoEntry: false });
  if (entry === undefined) return [`${path} is missing`];
  if (!entry.isDirectory()) return [`${path} ${entry.size} ${entry.mtimeMs}`];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesAt(join(path, name)));
}

/** A digest of names, sizes and times. */
function digest(paths) {
  return createHash('sha256').update(paths.flatMap(filesAt).join('\n')).digest('hex');
}

function packageFiles(names) {
  const packages = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name));
  const folders = [...packages.sort(), join(root, 'examples/reference-peer')];
  return folders.flatMap((folder) => names.map((name) => join(folder, name)));
}

// As in turbo.json.
const inputs = () =>
  digest([
    ...rootInputs.map((name) => join(root, name)),
    ...packageFiles(['package.json', 'tsup.config.ts', 'tsconfig.build.json', 'src']),
  ]);
const outputs = () => digest(packageFiles(['dist']));

function readStamp() {
  try {
    return readFileSync(stampFile, 'utf8');
  } catch {
    return ''; // Nothing was built yet.
  }
}

/** What to run: pnpm has put turbo on the PATH, or else npx brings pnpm. */
function turbo() {
  const isUnderPnpm = process.env.npm_config_user_agent?.startsWith('pnpm/') === true;
  const command = [join(root, 'node_modules/.bin/turbo'), 'run', 'build'];
  return isUnderPnpm ? command : ['npx', '-y', 'pnpm@12', 'exec', ...command];
}

/** Builds what is not built; answers why it could not, or undefined. */
export function ensureBuilt() {
  const builtFrom = inputs();
  if (readStamp() === `${builtFrom} ${outputs()}`) return undefined;
  const [file, ...args] = [
    ...turbo(),
    '--filter=@nzcore-examples/reference-peer',
    '--output-logs=errors-only',
  ];
  const build = spawnSync(file, args, {
    cwd: root,
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (build.status !== 0) {
    const reason = build.error?.message ?? `${build.stdout ?? ''}${build.stderr ?? ''}`.trim();
    return { reason, exitCode: build.status || 1 };
  }
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, `${builtFrom} ${outputs()}`);
  return undefined;
}
