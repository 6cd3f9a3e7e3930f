import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { type Findings, filesBelow, readPackages, type WorkspacePackage } from './workspace.ts';

/** What the table of ARCHITECTURE.md allows a package to import. */
export interface LayerRule {
  /** Packages of which every entry may be imported. */
  readonly whole: ReadonlySet<string>;
  /** Packages of which only the `.` entry may be imported: `storage (interface)` in the table. */
  readonly interfaceOnly: ReadonlySet<string>;
}

/**
 * Reads the first table whose header ends with `may import`: the package's name is the second column,
 * what it may import the last; `-` is nothing.
 */
export function parseLayerTable(markdown: string): Map<string, LayerRule> {
  const rules = new Map<string, LayerRule>();
  const lines = markdown.split('\n');
  const header = lines.findIndex((line) => /^\|.*\|\s*may import\s*\|$/.test(line));
  if (header < 0) return rules;
  for (const line of lines.slice(header + 2)) {
    if (!line.startsWith('|')) break;
    const cells = line.split('|').map((cell) => cell.replaceAll('`', '').trim());
    const imports = (cells.at(-2) ?? '').split(',').map((name) => name.trim());
    const named = imports.filter((name) => name !== '-' && name !== '');
    rules.set(cells[2] ?? '', {
      whole: new Set(named.filter((name) => !name.endsWith(' (interface)'))),
      interfaceOnly: new Set(
        named.filter((name) => name.endsWith(' (interface)')).map((n) => n.replace(' (interface)', '')),
      ),
    });
  }
  return rules;
}

/** What is wrong with one import specifier in a file of `packageName`; undefined when nothing is. */
export function judgeImport(specifier: string, packageName: string, rule: LayerRule): string | undefined {
  const match = /^@nzcore\/([^/]+)(\/.+)?$/.exec(specifier);
  if (match === null) return undefined;
  const [, target = '', subpath] = match;
  if (target === packageName || rule.whole.has(target)) return undefined;
  if (!rule.interfaceOnly.has(target)) return `${packageName} may not import ${specifier}`;
  return subpath === undefined
    ? undefined
    : `${packageName} may import only the interface @nzcore/${target}, not ${specifier}`;
}

function dependencyFindings(pkg: WorkspacePackage, rule: LayerRule): string[] {
  const { dependencies, devDependencies, peerDependencies, optionalDependencies } = pkg.manifest;
  const shipped = { ...dependencies, ...peerDependencies, ...optionalDependencies };
  const allowed = (name: string) => rule.whole.has(name) || rule.interfaceOnly.has(name);
  return Object.keys({ ...shipped, ...devDependencies })
    .filter((name) => name.startsWith('@nzcore/') && !allowed(name.slice('@nzcore/'.length)))
    .map((name) => `packages/${pkg.shortName}/package.json: may not depend on ${name}`);
}

async function importFindings(root: string, pkg: WorkspacePackage, rule: LayerRule): Promise<string[]> {
  const declared = { ...pkg.manifest.dependencies, ...pkg.manifest.peerDependencies };
  const findings: string[] = [];
  for (const file of await filesBelow(pkg.directory, '.ts')) {
    const isShipped = relative(pkg.directory, file).startsWith('src');
    // What is never shipped may use any entry of the packages that its package may import.
    const effective = isShipped
      ? rule
      : { whole: new Set([...rule.whole, ...rule.interfaceOnly]), interfaceOnly: new Set<string>() };
    const say = (problem: string) => findings.push(`${relative(root, file)}: ${problem}`);
    for (const { fileName } of ts.preProcessFile(await readFile(file, 'utf8'), true, true).importedFiles) {
      const problem = judgeImport(fileName, pkg.shortName, effective);
      if (problem !== undefined) say(problem);
      const scoped = /^@nzcore\/[^/]+/.exec(fileName)?.[0];
      if (isShipped && scoped !== undefined && scoped !== pkg.manifest.name && !(scoped in declared)) {
        say(`imports ${scoped}, which package.json does not declare`);
      }
      if (
        fileName.startsWith('.') &&
        isShipped &&
        relative(pkg.directory, join(file, '..', fileName)).startsWith('..')
      ) {
        say(`${fileName} leaves the package`);
      }
    }
  }
  return findings;
}

/** Compares every package.json and every import with the table of ARCHITECTURE.md. */
export async function checkLayering(root: string): Promise<Findings> {
  const rules = parseLayerTable(await readFile(join(root, 'ARCHITECTURE.md'), 'utf8'));
  const packages = await readPackages(root);
  const findings = [...rules.keys()]
    .filter((name) => !packages.some((pkg) => pkg.shortName === name))
    .map((name) => `ARCHITECTURE.md: the table names ${name}, which packages/ does not have`);
  for (const pkg of packages) {
    const rule = rules.get(pkg.shortName);
    if (rule === undefined) findings.push(`ARCHITECTURE.md: the table has no row for ${pkg.shortName}`);
    else findings.push(...dependencyFindings(pkg, rule), ...(await importFindings(root, pkg, rule)));
  }
  return findings;
}
