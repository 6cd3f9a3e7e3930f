import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildFailure, build } from 'esbuild';
import ts from 'typescript';
import { type Findings, readPackages, sourceEntries } from './workspace.ts';

/** Entries that are Node's by purpose. Every other entry, `.` always, must run in a browser. */
const nodeEntries: ReadonlySet<string> = new Set([
  'identity/keystore',
  'identity/slip39',
  'node/host',
  'storage/files',
  'storage/level',
  'storage/log',
  'transport/compression',
  'transport/tcp',
  'transport/udp',
  'transport/ws',
]);

/** Names of Node's globals that a source text uses as values, apart from `globalThis.process`. */
export function nodeGlobalsIn(source: string): string[] {
  const file = ts.createSourceFile('module.ts', source, ts.ScriptTarget.ES2023, true);
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && /^(Buffer|process|__dirname|__filename|setImmediate)$/.test(node.text)) {
      const isMember = ts.isPropertyAccessExpression(node.parent) && node.parent.name === node;
      const isKey = ts.isPropertyAssignment(node.parent) && node.parent.name === node;
      const isSignature = ts.isPropertySignature(node.parent) || ts.isParameter(node.parent);
      if (!isMember && !isKey && !isSignature) found.add(node.text);
      if (isMember && node.text === 'Buffer') found.add('Buffer');
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return [...found];
}

async function entryFindings(root: string, label: string, file: string): Promise<string[]> {
  // For a browser esbuild knows no module of Node: an import of one that no `browser` field replaces is an error.
  const result = await build({
    absWorkingDir: root,
    entryPoints: [file],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['@nzcore/source', 'browser'],
    logLevel: 'silent',
  });
  const findings: string[] = [];
  for (const input of Object.keys(result.metafile.inputs).filter((name) => name.startsWith('packages/'))) {
    const globals = nodeGlobalsIn(await readFile(join(root, input), 'utf8'));
    findings.push(...globals.map((name) => `${label}: ${input} uses ${name}, which only Node has`));
  }
  return findings;
}

function bundleErrors(label: string, failure: BuildFailure): string[] {
  return failure.errors.map(({ text, location }) => {
    const place = location === null ? '' : ` (${location.file}:${location.line})`;
    return `${label}: does not bundle for a browser: ${text}${place}`;
  });
}

/** Bundles every neutral entry for a browser and looks for what only Node has. */
export async function checkRuntimeNeutrality(root: string): Promise<Findings> {
  const findings = new Set<string>();
  for (const pkg of await readPackages(root)) {
    for (const [subpath, file] of sourceEntries(pkg)) {
      const label = `${pkg.shortName}${subpath.slice(1)}`;
      if (nodeEntries.has(label)) continue;
      const found = await entryFindings(root, label, file).catch((error: BuildFailure) =>
        bundleErrors(label, error),
      );
      for (const finding of found) findings.add(finding);
    }
  }
  return [...findings];
}
