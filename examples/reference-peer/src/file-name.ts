import { link, open, rename, unlink } from 'node:fs/promises';
import { extname, join } from 'node:path';

// Leaves room for a number and for the ending of a temporary name within the 255 bytes that file systems allow.
const MAX_NAME_BYTES = 200;

// Windows takes these for devices in every directory, with any ending.
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?=\s*(?:\.|$))/iu;

/** A name that another peer chose, made safe as the name of a file: no directories, devices, control characters or leading dots. */
export function safeFileName(name: string): string {
  const base = name.split(/[\\/]/).at(-1) ?? '';
  const plain = base
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}<>:"|?*]/gu, '_')
    .replace(/^[.\s]+/, '')
    .replace(/[.\s]+$/, '')
    .replace(DEVICE, '_$&');
  const extension = extname(plain).slice(0, 20);
  let stem = plain.slice(0, plain.length - extname(plain).length);
  while (new TextEncoder().encode(stem + extension).length > MAX_NAME_BYTES) {
    stem = [...stem].slice(0, -1).join('');
  }
  return stem + extension || 'file';
}

// What file systems without hard links answer; EISDIR is exFAT on Windows, EACCES Android.
const NO_HARD_LINKS = ['EPERM', 'EACCES', 'EISDIR', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/**
 * Gives a file a name that is free: `name.txt`, else `name (2).txt` and so on. Answers its path. Nothing has the name before
 * the file has it: whoever is killed in between leaves the file under its old name.
 */
export async function giveFreeName(file: string, directory: string, name: string): Promise<string> {
  const extension = extname(name);
  const stem = name.slice(0, name.length - extension.length);
  for (let number = 1; ; number++) {
    const path = join(directory, number === 1 ? name : `${stem} (${number})${extension}`);
    if (await moveToFree(file, path)) return path;
  }
}

async function moveToFree(file: string, path: string): Promise<boolean> {
  try {
    // Unlike a rename it fails when the name is taken.
    await link(file, path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return false;
    if (NO_HARD_LINKS.includes(code)) return moveToReserved(file, path);
    throw error;
  }
  await unlink(file);
  return true;
}

/** On FAT an empty file takes the name first; it stays if the process is killed just then. */
async function moveToReserved(file: string, path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close();
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    await rename(file, path);
    return true;
  } catch (error) {
    await unlink(path);
    throw error;
  }
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code);
}
