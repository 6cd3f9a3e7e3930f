import {
  type ConfigProblem,
  configError,
  inspectConfig,
  type NodeConfig,
  type NodeConfigInput,
  type SettingKind,
  settings,
  valueAt,
} from '../config.ts';
import { NodeError } from '../errors.ts';
import { type ConfigFile, lineOfKey, readConfigFile } from './config-file.ts';

/** Where settings come from; a later one wins: file, environment, options. */
export interface ConfigSources {
  /** A TOML file. */
  readonly file?: string | undefined;
  /** `NZCORE_DATA_DIR`, `NZCORE_LOG__LEVEL` and so on. @defaultValue none */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  readonly options?: NodeConfigInput | undefined;
}

// Read by the host's parts and not settings: a secret is no part of a configuration that is printed or logged.
const secrets: ReadonlySet<string> = new Set(['NZCORE_PASSPHRASE']);

/** The variable of a setting: `limits.messageBytes` is `NZCORE_LIMITS__MESSAGE_BYTES`. */
export function variableName(key: string): string {
  const spell = (part: string) => part.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  return `NZCORE_${key.split('.').map(spell).join('__')}`;
}

function parseText(text: string, kind: SettingKind): unknown {
  if (kind === 'list') return text.split(',').flatMap((item) => item.trim() || []);
  return kind === 'integer' && /^\d+$/.test(text) ? Number(text) : text;
}

function put(target: Record<string, unknown>, path: string, value: unknown): void {
  const [head = '', ...rest] = path.split('.');
  if (rest.length === 0) target[head] = value;
  else {
    target[head] ??= {};
    put(target[head] as Record<string, unknown>, rest.join('.'), value);
  }
}

interface Layer {
  readonly values: Record<string, unknown>;
  /** Says where a setting was given, undefined when not in this layer. */
  origin(key: string): string | undefined;
}

function environmentLayer(environment: Readonly<Record<string, string | undefined>>): Layer {
  const values: Record<string, unknown> = {};
  const names = new Map(Object.keys(settings).map((key) => [variableName(key), key]));
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith('NZCORE_') || text === undefined || secrets.has(name)) continue;
    const key = names.get(name);
    if (key === undefined) {
      const known = [...names.keys(), ...secrets].join(', ');
      throw new NodeError(
        'CONFIG_INVALID',
        `config: environment ${name}: unknown setting; there are ${known}`,
      );
    }
    put(values, key, parseText(text, settings[key] ?? 'text'));
  }
  return {
    values,
    origin: (key) =>
      environment[variableName(key)] === undefined ? undefined : `environment ${variableName(key)}`,
  };
}

function optionLayer(options: NodeConfigInput): Layer {
  const values = structuredClone(options) as Record<string, unknown>;
  const isGiven = (key: string): boolean => valueAt(values, key.split('.')) !== undefined;
  return { values, origin: (key) => (isGiven(key) ? `option ${key}` : undefined) };
}

function fileLayer({ path, text, values }: ConfigFile): Layer {
  return {
    values: values as Record<string, unknown>,
    origin: (key) => {
      // Of a key in an inline table only the table's own line is known.
      const parts = key.split('.');
      const prefixes = parts.map((_, index) => parts.slice(0, parts.length - index).join('.'));
      const line = prefixes.map((prefix) => lineOfKey(text, prefix)).find((found) => found !== undefined);
      return line === undefined ? undefined : `${path} line ${line}`;
    },
  };
}

function merge(into: Record<string, unknown>, from: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(from)) {
    const isTable = typeof value === 'object' && value !== null && !Array.isArray(value);
    const inner = into[key];
    if (isTable && typeof inner === 'object' && inner !== null) {
      merge(inner as Record<string, unknown>, value as Record<string, unknown>);
    } else if (value !== undefined) into[key] = structuredClone(value);
  }
}

function describe({ key, problem }: ConfigProblem, layers: readonly Layer[]): string {
  const origin = layers.map((layer) => layer.origin(key)).findLast((found) => found !== undefined);
  return origin === undefined ? problem : `${origin}: ${problem}`;
}

/**
 * Reads the settings of all sources, checks them and fills in the defaults. Opens and creates nothing.
 *
 * @throws NodeError `CONFIG_INVALID` or `ADDRESS_INVALID`; its message names the file and line, or the variable or option, the key and what
 * was expected.
 */
export async function loadConfig(sources: ConfigSources): Promise<NodeConfig> {
  const layers: Layer[] = [];
  if (sources.file !== undefined) layers.push(fileLayer(await readConfigFile(sources.file)));
  layers.push(environmentLayer(sources.environment ?? {}), optionLayer(sources.options ?? {}));
  const values: Record<string, unknown> = {};
  for (const layer of layers) merge(values, layer.values);
  const result = inspectConfig(values);
  if ('config' in result) return result.config;
  const [first, ...others] = result.problems;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  throw configError(first!, `${describe(first!, layers)}${more}`);
}
