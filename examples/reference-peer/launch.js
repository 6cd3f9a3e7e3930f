// `pnpm start` and `pnpm demo`: builds what the program needs and becomes it. Standard output belongs to it alone.
// Node is enough to run it once it is built: `node examples/reference-peer/launch.js main`, as under a supervisor.
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './build.js';

const [program, ...args] = process.argv.slice(2);
const failure = ensureBuilt();
if (failure === undefined) {
  const file = new URL(`dist/${program}.js`, import.meta.url);
  process.argv.splice(1, process.argv.length - 1, fileURLToPath(file), ...args);
  await import(file.href);
} else {
  process.stderr.write(`${failure.reason}\nnzcore: the program could not be built; try npx -y pnpm@12 build\n`);
  process.exitCode = failure.exitCode;
}
