// `pnpm start` and `pnpm demo`: builds what the program needs and becomes it. Standard output belongs to it alone.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const [program, ...args] = process.argv.slice(2);
const turbo = fileURLToPath(new URL('../../node_modules/.bin/turbo', import.meta.url));
const build = spawnSync(
  turbo,
  ['run', 'build', '--filter=@nzcore-examples/reference-peer', '--output-logs=errors-only'],
  {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  },
);
if (build.status === 0) {
  process.argv.splice(
    1,
    process.argv.length - 1,
    fileURLToPath(new URL(`dist/${program}.js`, import.meta.url)),
    ...args,
  );
  await import(`./dist/${program}.js`);
} else {
  process.stderr.write(`${build.stdout ?? ''}${build.stderr ?? ''}`);
  process.stderr.write(
    `nzcore: the program could not be built${build.error ? `: ${build.error.message}` : ''}\n`,
  );
  process.exitCode = build.status || 1;
}
