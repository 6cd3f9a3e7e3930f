import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type Findings, readPackages, run, tool } from './workspace.ts';

/** One program of a document. */
export interface CodeBlock {
  readonly code: string;
  /** Line of its first fence, from 1. */
  readonly line: number;
  readonly isRun: boolean;
}

/**
 * The ```ts blocks of a document. `ts continue` is appended to the block before it; `ts no-run` is compiled only.
 */
export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { info: string; line: number; code: string[] } | undefined;
  for (const [index, text] of markdown.split('\n').entries()) {
    if (!text.startsWith('```')) open?.code.push(text);
    else if (open === undefined) open = { info: text.slice(3).trim(), line: index + 1, code: [] };
    else {
      const code = `${open.code.join('\n')}\n`;
      const previous = blocks.at(-1);
      const [language, mode] = open.info.split(/\s+/);
      if (language === 'ts' && mode === 'continue' && previous !== undefined) {
        blocks[blocks.length - 1] = { ...previous, code: previous.code + code };
      } else if (language === 'ts') blocks.push({ code, line: open.line, isRun: mode !== 'no-run' });
      open = undefined;
    }
  }
  return blocks;
}

interface Program extends CodeBlock {
  /** Where it comes from, `packages/x/README.md:12`. */
  readonly source: string;
  readonly file: string;
}

// The programs are written into the package that they document, so that its own name and its dependencies resolve.
const folder = '.readme';

async function extract(root: string, document: string, home: string): Promise<Program[]> {
  const markdown = await readFile(document, 'utf8').catch(() => undefined);
  if (markdown === undefined) return [];
  await mkdir(join(home, folder), { recursive: true });
  const place = relative(root, document);
  const prefix = place.replaceAll(/[^A-Za-z0-9]+/g, '-');
  return Promise.all(
    codeBlocks(markdown).map(async (block) => {
      const file = join(home, folder, `${prefix}-${block.line}.ts`);
      await writeFile(file, `${block.code}\nexport {};\n`);
      return { ...block, source: `${place}:${block.line}`, file };
    }),
  );
}

async function compile(root: string, programs: readonly Program[]): Promise<string[]> {
  const directory = join(root, 'node_modules', '.cache', 'readme');
  await mkdir(directory, { recursive: true });
  const config = join(directory, 'tsconfig.json');
  const compilerOptions = {
    incremental: false,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  };
  const files = programs.map(({ file }) => file);
  await writeFile(
    config,
    JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include: [], files }),
  );
  const result = await run(tool(root, 'tsc'), ['--noEmit', '-p', config], { cwd: root });
  if (result.code === 0) return [];
  let text = result.output;
  for (const { file, source } of programs) text = text.replaceAll(relative(root, file), source);
  return [text];
}

async function execute(root: string, program: Program): Promise<string[]> {
  const cwd = await mkdtemp(join(tmpdir(), 'nzcore-readme-'));
  try {
    const args = ['--conditions=@nzcore/source', program.file];
    const result = await run(tool(root, 'tsx'), args, { cwd, timeout: 30_000 });
    return result.code === 0 ? [] : [`${program.source} exits with ${result.code}:\n${result.output}`];
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

/** Compiles and runs the TypeScript of README.md and of every package's README.md. */
export async function checkReadmeCode(root: string): Promise<Findings> {
  const packages = await readPackages(root);
  const homes = packages.map(({ directory }) => directory);
  const clean = () =>
    Promise.all(homes.map((home) => rm(join(home, folder), { recursive: true, force: true })));
  await clean();
  try {
    const documents = homes.map((home) => [join(home, 'README.md'), home] as const);
    // The root's README may use every package: the node's folder has them all.
    const all = [[join(root, 'README.md'), join(root, 'packages', 'node')] as const, ...documents];
    const programs = (await Promise.all(all.map(([file, home]) => extract(root, file, home)))).flat();
    if (programs.length === 0) return ['README.md and the packages show no TypeScript at all'];
    const findings = await compile(root, programs);
    for (const program of programs.filter(({ isRun }) => isRun))
      findings.push(...(await execute(root, program)));
    return findings;
  } finally {
    await clean();
  }
}
