import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { codeBlocks } from './readme-code.ts';
import {
  type Findings,
  type PackageJson,
  readPackages,
  run,
  tool,
  type WorkspacePackage,
} from './workspace.ts';

/** What of the workspace's own must not be left in a published package.json; its scripts are nobody's but the workspace's. */
export function workspaceRemains(manifest: string): string[] {
  const { scripts: _, ...published } = JSON.parse(manifest) as Record<string, unknown>;
  const text = JSON.stringify(published);
  return ['workspace:', 'catalog:', '@nzcore/source'].filter((word) => text.includes(word));
}

async function pack(pkg: WorkspacePackage, out: string): Promise<string> {
  const directory = await mkdtemp(join(out, `${pkg.shortName}-`));
  const args = ['-y', 'pnpm@12', 'pack', '--pack-destination', directory];
  const result = await run('npx', args, { cwd: pkg.directory });
  const [name] = await readdir(directory);
  if (result.code !== 0 || name === undefined) throw new Error(`pnpm pack failed: ${result.output}`);
  return join(directory, name);
}

async function tarballFindings(root: string, pkg: WorkspacePackage, tarball: string): Promise<string[]> {
  const unpacked = await run('tar', ['-xzOf', tarball, 'package/package.json'], { cwd: root });
  const findings = workspaceRemains(unpacked.output).map((word) => `packed package.json has ${word}`);
  const listing = await run('tar', ['-tzf', tarball], { cwd: root });
  for (const file of [
    'package/README.md',
    'package/LICENSE',
    'package/dist/index.js',
    'package/dist/index.d.ts',
  ]) {
    if (!listing.output.split('\n').includes(file)) findings.push(`packed without ${file}`);
  }
  const bytes = await readFile(tarball);
  const content = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const linted = await publint({ pack: { tarball: content }, strict: true });
  const manifest = JSON.parse(unpacked.output) as Parameters<typeof formatMessage>[1];
  findings.push(
    ...linted.messages.map((m) => `publint: ${formatMessage(m, manifest, { color: false }) ?? m.code}`),
  );
  const types = await run(tool(root, 'attw'), [tarball, '--profile', 'esm-only', '--no-color'], {
    cwd: root,
  });
  if (types.code !== 0) findings.push(`attw: ${types.output}`);
  return findings.map((finding) => `${pkg.manifest.name}: ${finding}`);
}

/** Installs the tarballs where nothing of this repository is, and compiles and runs README's first program there. */
async function smallestProgramFindings(root: string, tarballs: readonly string[]): Promise<string[]> {
  const block = codeBlocks(await readFile(join(root, 'README.md'), 'utf8'))[0];
  if (block === undefined) return ['README.md has no smallest program'];
  const project = await mkdtemp(join(tmpdir(), 'nzcore-consumer-'));
  try {
    const { devDependencies = {} } = JSON.parse(
      await readFile(join(root, 'package.json'), 'utf8'),
    ) as PackageJson;
    await writeFile(
      join(project, 'package.json'),
      JSON.stringify({ name: 'consumer', private: true, type: 'module' }),
    );
    const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    const compilers = [`typescript@${devDependencies['typescript']}`, '@types/node@20'];
    const installed = await run('npm', ['install', ...quiet, ...tarballs, ...compilers], { cwd: project });
    if (installed.code !== 0) return [`npm install of the tarballs failed: ${installed.output}`];
    await writeFile(join(project, 'program.ts'), block.code);
    const flags =
      '--noEmit --strict --target es2023 --lib es2023,esnext.disposable --module nodenext --types node';
    const typed = await run(join(project, 'node_modules/.bin/tsc'), [...flags.split(' '), 'program.ts'], {
      cwd: project,
    });
    if (typed.code !== 0) return [`README's smallest program against the packed types: ${typed.output}`];
    const { code } = await transform(block.code, { loader: 'ts', target: 'node20', format: 'esm' });
    await writeFile(join(project, 'program.mjs'), code);
    const ran = await run('node', ['program.mjs'], { cwd: project, timeout: 60_000 });
    return ran.code === 0 ? [] : [`README's smallest program exits with ${ran.code}: ${ran.output}`];
  } finally {
    await rm(project, { recursive: true, force: true });
  }
}

/** Packs every public package and looks at the tarball as its users will. */
export async function checkPackedPackages(root: string): Promise<Findings> {
  const packages = (await readPackages(root)).filter(({ manifest }) => manifest.private !== true);
  const out = await mkdtemp(join(tmpdir(), 'nzcore-pack-'));
  try {
    const findings: string[] = [];
    const tarballs: string[] = [];
    for (const pkg of packages) {
      const tarball = await pack(pkg, out);
      tarballs.push(tarball);
      findings.push(...(await tarballFindings(root, pkg, tarball)));
    }
    return [...findings, ...(await smallestProgramFindings(root, tarballs))];
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}
