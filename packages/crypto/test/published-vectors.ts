import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';

const folder = new URL('../../../../shared/vectors/', import.meta.url);

/** Published vectors lie beside the repository; a build server must have them, anybody else may do without. */
export const hasPublishedVectors: boolean = existsSync(folder);
if (!hasPublishedVectors && process.env['CI']) throw new Error(`no published vectors in ${folder.pathname}`);

/** The names of the published files of a kind; none where there are no vectors. */
export async function publishedFiles(kind: 'noise' | 'wycheproof'): Promise<string[]> {
  if (!hasPublishedVectors) return [];
  return (await readdir(new URL(`${kind}/`, folder))).filter((name) => name.endsWith('.json'));
}

/** A published file. */
export async function readPublished(kind: 'noise' | 'wycheproof', name: string): Promise<unknown> {
  return JSON.parse(await readFile(new URL(`${kind}/${name}`, folder), 'utf8'));
}
