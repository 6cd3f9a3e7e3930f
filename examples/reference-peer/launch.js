// `pnpm start` and `pnpm demo`: builds what the program needs and becomes it. Standard output belongs to it alone.
// Node is enough once it is built, as under a supervisor: `node examples/reference-peer/launch.js main`.
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './build.js';

const [program, ...args] = process.argv.slice(2);
const failure = ensureBuilt();
if (failure !== undefined) {
  const advice = 'run npx -y pnpm@12 build where npm and a network are';
  process.stderr.write(`${failure.reason}\nnzcore: the program is not built from these sources; ${advice}\n`);
  process.exitCode = failure.exitCode;
} else if (program !== undefined) {
  const file = new URL(`dist/${program}.js`, import.meta.url);
  process.argv.splice(1, process.argv.length - 1, fileURLToPath(file), ...args);
  await import(file.href);
}
