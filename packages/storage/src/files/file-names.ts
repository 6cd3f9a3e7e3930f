import { utf8 } from '../bytes.ts';
import { StorageError } from '../errors.ts';

/** The longest name of a file, in bytes of UTF-8. */
export const MAX_FILE_NAME_BYTES = 1_024;

// Names never reach the file system here, but one day somebody writes the files out by their names.
const RESERVED = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?$/i;
const MAX_PART_BYTES = 255;

/**
 * The bytes of a file's name: parts joined by `/`, each of which any system could hold, in NFC.
 * @throws StorageError `INVALID_NAME`
 */
export function checkedFileName(name: string): Uint8Array {
  if (typeof name !== 'string') throw new TypeError('a file is named by a string');
  const bytes = utf8(name);
  if (bytes.length === 0 || bytes.length > MAX_FILE_NAME_BYTES) throw invalid('has a wrong length');
  if (/\p{Cs}/u.test(name) || name.normalize('NFC') !== name) throw invalid('is not in normal form (NFC)');
  for (const part of name.split('/')) checkPart(part);
  return bytes;
}

function checkPart(part: string): void {
  if (part === '') throw invalid('is absolute, or has an empty part');
  if (part === '.' || part === '..') throw invalid('leaves its directory');
  if (/[\p{Cc}\\:*?"<>|]/u.test(part)) throw invalid('has a character that a system does not allow');
  if (/[. ]$/.test(part)) throw invalid('has a part that ends in a dot or a space');
  if (RESERVED.test(part)) throw invalid('has a part that Windows reserves');
  if (utf8(part).length > MAX_PART_BYTES) throw invalid('has a part that is too long');
}

function invalid(what: string): StorageError {
  return new StorageError('INVALID_NAME', `the name of the file ${what}`);
}
