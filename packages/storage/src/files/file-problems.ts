import type { CatalogEntry } from './file-catalog.ts';
import { isContentError } from './file-contents.ts';
import type { StoredFile } from './file-reader.ts';
import type { FileProblem } from './file-store.ts';

/** Does something with every file, goes on behind those that cannot be believed, and answers which they are. */
export async function collectProblems(
  entries: AsyncIterable<CatalogEntry>,
  action: (entry: CatalogEntry) => Promise<void>,
): Promise<FileProblem[]> {
  const problems: FileProblem[] = [];
  for await (const entry of entries) {
    try {
      await action(entry);
    } catch (error) {
      if (!isContentError(error)) throw error;
      problems.push({ name: entry.name, code: error.code });
    }
  }
  return problems;
}

/** Reads a file to its end, which authenticates every byte of it, and closes it. */
export async function readThrough(
  file: StoredFile | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (file === undefined) return;
  await using opened = file;
  for await (const _ of opened.read({ signal }));
}
