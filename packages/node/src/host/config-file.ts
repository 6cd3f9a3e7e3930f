import { readFile } from 'node:fs/promises';
import { parse, TomlError } from 'smol-toml';
import { NodeError } from '../errors.ts';

/** A configuration file as it was read. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Line of the key with this path in a TOML text, from 1; undefined when it is not written there.
 * Knows table headers, dotted keys and bare or quoted names, which is all that settings need.
 */
export function lineOfKey(text: string, path: string): number | undefined {
  let table = '';
  for (const [index, raw] of text.split('\n').entries()) {
    const header = /^\s*\[+([^\]]+)\]/.exec(raw);
    const assigned = /^\s*([\w."'-]+(?:\s*\.\s*[\w"'-]+)*)\s*=/.exec(raw);
    const name = (header?.[1] ?? assigned?.[1])?.replaceAll(/["'\s]/g, '');
    if (name === undefined) continue;
    if (header !== null) table = name;
    const full = header !== null || table === '' ? name : `${table}.${name}`;
    if (full === path) return index + 1;
  }
  return undefined;
}

/**
 * Reads a TOML file.
 *
 * @throws NodeError `CONFIG_INVALID` with file and line.
 */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const advice = cause.code === 'ENOENT' ? 'there is no such file' : cause.message;
    throw new NodeError('CONFIG_INVALID', `config: cannot read ${path}: ${advice}`, { cause });
  });
  try {
    return { path, text, values: parse(text) };
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const [reason = ''] = cause.message.split('\n');
    const message = `config: ${path} line ${cause.line}: ${reason.replace(/^Invalid TOML document: /, '')}`;
    throw new NodeError('CONFIG_INVALID', message, { cause });
  }
}
