import { fileURLToPath } from 'node:url';
import { checkApiDocs } from './api-docs.ts';
import { checkDocuments } from './documents.ts';
import { checkFileSizes } from './file-sizes.ts';
import { checkLayering } from './layering.ts';
import { checkPackedPackages } from './packed-packages.ts';
import { checkReadmeCode } from './readme-code.ts';
import { checkRuntimeNeutrality } from './runtime-neutrality.ts';
import { checkSignatures } from './signatures.ts';
import { checkWarmStart } from './warm-start.ts';
import { type Findings, toolFindings } from './workspace.ts';

const checks: Readonly<Record<string, (root: string) => Promise<Findings>>> = {
  format: (root) => toolFindings(root, 'biome', ['ci', '--colors=off', '.']),
  unused: (root) => toolFindings(root, 'knip', ['--no-progress']),
  documents: checkDocuments,
  sizes: checkFileSizes,
  layering: checkLayering,
  neutrality: checkRuntimeNeutrality,
  signatures: checkSignatures,
  readme: checkReadmeCode,
  'api-docs': checkApiDocs,
  packages: checkPackedPackages,
  start: checkWarmStart,
};

const root = fileURLToPath(new URL('..', import.meta.url));
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in checks));
if (unknown.length > 0) {
  console.error(
    `check: no check is named ${unknown.join(', ')}; there are ${Object.keys(checks).join(', ')}`,
  );
  process.exit(2);
}

const failed: string[] = [];
for (const [name, check] of Object.entries(checks)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const started = performance.now();
  const findings = await check(root).catch((error: Error) => [error.stack ?? error.message]);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${findings.length === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  for (const finding of findings) console.log(finding.replace(/^/gm, '  '));
  if (findings.length > 0) failed.push(name);
}
if (failed.length > 0) {
  console.log(`check: ${failed.join(', ')} failed`);
  process.exitCode = 1;
}
