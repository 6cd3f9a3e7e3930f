import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What a check has to say: one line for each thing that is wrong; none means that it passed. */
export type Findings = readonly string[];

export interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, { readonly '@nzcore/source'?: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** One folder of `packages/`. */
export interface WorkspacePackage {
  /** Name without the scope, which is the folder's name too. */
  readonly shortName: string;
  readonly directory: string;
  readonly manifest: PackageJson;
}

export async function readPackages(root: string): Promise<WorkspacePackage[]> {
  const names = (await readdir(join(root, 'packages'))).sort();
  return Promise.all(
    names.map(async (shortName) => {
      const directory = join(root, 'packages', shortName);
      const manifest = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as PackageJson;
      return { shortName, directory, manifest };
    }),
  );
}

/** The entries of a package as `[subpath, source file]`. */
export function sourceEntries(pkg: WorkspacePackage): [subpath: string, file: string][] {
  return Object.entries(pkg.manifest.exports ?? {}).flatMap(([subpath, target]) => {
    const source = target['@nzcore/source'];
    return source === undefined ? [] : [[subpath, join(pkg.directory, source)] as [string, string]];
  });
}

/** Files below `directory` whose name ends with `ending`; an absent directory has none. */
export async function filesBelow(directory: string, ending: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/[\\/](node_modules|dist|coverage|\.[^\\/]+)[\\/]/.test(file))
    .sort();
}

const execute = promisify(execFile);

export interface RunResult {
  readonly code: number;
  readonly output: string;
}

/** Runs a program to its end and keeps what it printed; does not throw when it fails. */
export async function run(
  file: string,
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv; timeout?: number },
): Promise<RunResult> {
  const { cwd, env = process.env, timeout = 300_000 } = options;
  try {
    const { stdout, stderr } = await execute(file, args, { cwd, env, timeout, maxBuffer: 1 << 26 });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const failure = error as { code?: number | string; stdout?: string; stderr?: string; message: string };
    const output = `${failure.stdout ?? ''}${failure.stderr ?? ''}`.trim();
    return { code: typeof failure.code === 'number' ? failure.code : 1, output: output || failure.message };
  }
}

/** A tool of the root's `node_modules/.bin`. */
export function tool(root: string, name: string): string {
  return join(root, 'node_modules', '.bin', name);
}

/** Findings of a tool that says itself what is wrong. */
export async function toolFindings(root: string, name: string, args: readonly string[]): Promise<Findings> {
  const result = await run(tool(root, name), args, { cwd: root });
  return result.code === 0 ? [] : [result.output];
}
