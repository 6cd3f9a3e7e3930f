import { open } from 'node:fs/promises';
import { extname, join } from 'node:path';

// Leaves room for a number and for the ending of a temporary name within the 255 bytes that file systems allow.
const MAX_NAME_BYTES = 200;

/** A name that another peer chose, made safe as the name of a file: no directories, control characters or leading dots. */
export function safeFileName(name: string): string {
  const base = name.split(/[\\/]/).at(-1) ?? '';
  const plain = base
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}<>:"|?*]/gu, '_')
    .replace(/^[.\s]+/, '')
    .replace(/[.\s]+$/, '');
  const extension = extname(plain).slice(0, 20);
  let stem = plain.slice(0, plain.length - extname(plain).length);
  while (new TextEncoder().encode(stem + extension).length > MAX_NAME_BYTES) {
    stem = [...stem].slice(0, -1).join('');
  }
  return stem + extension || 'file';
}

/** Creates an empty file whose name is free: `name.txt`, else `name (2).txt` and so on. Answers its path. */
export async function reserveFreeName(directory: string, name: string): Promise<string> {
  const extension = extname(name);
  const stem = name.slice(0, name.length - extension.length);
  for (let number = 1; ; number++) {
    const path = join(directory, number === 1 ? name : `${stem} (${number})${extension}`);
    try {
      await (await open(path, 'wx', 0o600)).close();
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}
