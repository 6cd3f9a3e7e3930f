import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type Findings, filesBelow, readPackages } from './workspace.ts';

const FILE_LINES = 300;
// The node composes the packages; what it would need more lines for is a job of one of them.
const NODE_LINES = 1000;

/** Lines as `wc -l` counts them. */
export function countLines(text: string): number {
  return text.split('\n').length - 1;
}

/** What is too long, given the lines of each source file by its path. */
export function sizeFindings(lines: ReadonlyMap<string, number>): string[] {
  const findings = [...lines]
    .filter(([, count]) => count > FILE_LINES)
    .map(([file, count]) => `${file} has ${count} lines; ${FILE_LINES} is the limit`);
  const ofNode = [...lines].filter(([file]) => file.startsWith('packages/node/'));
  const total = ofNode.reduce((sum, [, count]) => sum + count, 0);
  if (total >= NODE_LINES) {
    findings.push(`packages/node/src has ${total} lines; it must stay under ${NODE_LINES}`);
  }
  return findings;
}

/** Looks for long source files, and for a node that has grown out of its job. */
export async function checkFileSizes(root: string): Promise<Findings> {
  const lines = new Map<string, number>();
  for (const { directory } of await readPackages(root)) {
    for (const file of await filesBelow(join(directory, 'src'), '.ts')) {
      lines.set(relative(root, file), countLines(await readFile(file, 'utf8')));
    }
  }
  return sizeFindings(lines);
}
