import { access, readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type Findings, readPackages } from './workspace.ts';

/** Targets of the links of a document that lead to files of the repository. */
export function localLinks(markdown: string): string[] {
  const withoutCode = markdown.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');
  const links = withoutCode.matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)[^)]*\)/g);
  return [...links].map(([, target = '']) => target);
}

async function markdownOf(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => name.endsWith('.md')).map((name) => join(directory, name));
}

/** Looks for links that lead nowhere, a long ARCHITECTURE.md and packages without a README.md. */
export async function checkDocuments(root: string): Promise<Findings> {
  const packages = await readPackages(root);
  const folders = ['.', 'docs', 'docs/adr', 'spec'].map((folder) => join(root, folder));
  const documents = (
    await Promise.all([...folders, ...packages.map((p) => p.directory)].map(markdownOf))
  ).flat();
  const findings = packages
    .filter(({ directory }) => !documents.includes(join(directory, 'README.md')))
    .map(({ shortName }) => `packages/${shortName} has no README.md`);
  for (const document of documents) {
    const text = await readFile(document, 'utf8');
    const lines = text.trimEnd().split('\n').length;
    if (document === join(root, 'ARCHITECTURE.md') && lines > 150) {
      findings.push(`ARCHITECTURE.md has ${lines} lines; 150 is the limit`);
    }
    for (const target of localLinks(text)) {
      const isThere = await access(join(dirname(document), target)).then(
        () => true,
        () => false,
      );
      if (!isThere) findings.push(`${relative(root, document)}: the link to ${target} leads nowhere`);
    }
  }
  return findings;
}
