import { isAddress, tryParseAddress } from '@nzcore/transport';
import { z } from 'zod';
import { NodeError } from './errors.ts';

/** How much the node writes to its log. */
export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** Bounds that the owner may want to move. */
export interface NodeLimits {
  /** Open connections, in and out. @defaultValue 512 */
  readonly connections: number;
  /** Bytes of one message. @defaultValue 1 MiB */
  readonly messageBytes: number;
}

/** What the owner of a node decides. Every setting has the same name in the file, in code and, spelled `DATA_DIR`, in the environment. */
export interface NodeConfig {
  /** Directory of everything that the node keeps. Undefined: the host's parts choose the operating system's own place. */
  readonly dataDir?: string | undefined;
  /** Multiaddr texts to listen on. Undefined: the host's parts choose. */
  readonly listen?: readonly string[] | undefined;
  /** Multiaddr texts of peers to connect to, and to stay connected to. They end with `/p2p/z6Mk…`: nobody else may answer there. */
  readonly bootstrap: readonly string[];
  /** File with the 32-byte key of a private network as 64 hexadecimal digits. */
  readonly networkKeyFile?: string | undefined;
  /** File with the passphrase of the keystore. */
  readonly passphraseFile?: string | undefined;
  readonly log: { readonly level: LogLevel };
  readonly limits: NodeLimits;
}

/** What {@link parseConfig} accepts: everything may be left out. */
export type NodeConfigInput = Partial<Omit<NodeConfig, 'log' | 'limits'>> & {
  readonly log?: Partial<NodeConfig['log']>;
  readonly limits?: Partial<NodeLimits>;
};

/** How a setting is written as a text, for the environment and the command line. */
export type SettingKind = 'text' | 'list' | 'integer';

/** Every setting by its path, with the kind of its value. */
export const settings: Readonly<Record<string, SettingKind>> = {
  dataDir: 'text',
  listen: 'list',
  bootstrap: 'list',
  networkKeyFile: 'text',
  passphraseFile: 'text',
  'log.level': 'text',
  'limits.connections': 'integer',
  'limits.messageBytes': 'integer',
};

const levels = ['silent', 'error', 'warn', 'info', 'debug', 'trace'] as const;
const address = z.string({ error: 'a multiaddr text' }).refine(isAddress, {
  error: 'a multiaddr such as /ip4/0.0.0.0/tcp/4001 or /ip4/127.0.0.1/tcp/4002/ws',
});
const bootstrapAddress = z
  .string({ error: 'a multiaddr text' })
  .refine((text) => tryParseAddress(text)?.peer !== undefined, {
    error: 'a multiaddr with the name of its peer, such as /ip4/192.0.2.1/tcp/4001/p2p/z6Mk…',
  });
const list = <Item extends z.ZodType>(item: Item) => z.array(item, { error: 'a list of multiaddr texts' });
const table = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, { error: 'a table of settings' }).prefault({} as never);
const path = (what: string) => z.string({ error: what }).min(1, { error: what });
const integer = (from: number, to: number) => {
  const error = `a whole number from ${from} to ${to}`;
  return z.int({ error }).min(from, { error }).max(to, { error });
};

const schema = z.strictObject({
  dataDir: path('the path of a directory').optional(),
  listen: list(address).optional(),
  bootstrap: list(bootstrapAddress).default([]),
  networkKeyFile: path('the path of a file').optional(),
  passphraseFile: path('the path of a file').optional(),
  log: table({ level: z.enum(levels, { error: `one of ${levels.join(', ')}` }).default('silent') }),
  limits: table({
    connections: integer(1, 100_000).default(512),
    // A stream queues 16 MiB, the frames' headers included: what is longer goes over a stream of its own.
    messageBytes: integer(1024, 2 ** 23).default(2 ** 20),
  }),
});

/** One thing that is wrong with the settings. */
export interface ConfigProblem {
  readonly code: 'CONFIG_INVALID' | 'ADDRESS_INVALID';
  /** Path of the setting, such as `limits.connections`. */
  readonly key: string;
  /** What is wrong with it, and what was expected. */
  readonly problem: string;
}

function unknownKey(key: string): ConfigProblem {
  return {
    code: 'CONFIG_INVALID',
    key,
    problem: `unknown setting "${key}"; the settings are ${Object.keys(settings).join(', ')}`,
  };
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** The value of a setting, or of an item of it. */
export function valueAt(input: unknown, keys: readonly PropertyKey[]): unknown {
  return keys.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    input,
  );
}

/** Checks settings without an exception. */
export function inspectConfig(
  input: unknown,
): { readonly config: NodeConfig } | { readonly problems: readonly ConfigProblem[] } {
  const result = schema.safeParse(input);
  if (result.success) return { config: result.data };
  const problems = result.error.issues.flatMap((issue): ConfigProblem[] => {
    const key = issue.path.filter((part) => typeof part === 'string').join('.');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((name) => unknownKey(key === '' ? name : `${key}.${name}`));
    }
    // Only addresses have a check beyond their type and range.
    const code = issue.code === 'custom' ? 'ADDRESS_INVALID' : 'CONFIG_INVALID';
    const problem = `"${key}" must be ${issue.message}, but is ${show(valueAt(input, issue.path))}`;
    return [{ code, key, problem }];
  });
  return { problems };
}

/** The error for settings with this first problem, said in this way. */
export function configError({ code }: ConfigProblem, text: string): NodeError {
  return new NodeError(code, `config: ${text}`);
}

/**
 * Checks settings and fills in the defaults.
 *
 * @throws NodeError `CONFIG_INVALID`, or `ADDRESS_INVALID` for an address that does not parse, with the first problem in its message
 */
export function parseConfig(input: NodeConfigInput): NodeConfig {
  const result = inspectConfig(input);
  if ('config' in result) return result.config;
  const [first] = result.problems;
  throw configError(first!, first!.problem);
}
