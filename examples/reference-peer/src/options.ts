import { parseArgs } from 'node:util';
import type { NodeConfigInput } from '@nzcore/node';

/** A command line that cannot be understood. */
export class UsageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UsageError';
  }
}

/** What the command line says. */
export interface PeerOptions {
  readonly isHelp: boolean;
  readonly isJson: boolean;
  readonly asksPassphrase: boolean;
  readonly configFile: string | undefined;
  readonly receivedDirectory: string | undefined;
  readonly maxFileBytes: number;
  readonly config: NodeConfigInput;
}

/** What `--help` prints. */
export const help = `Runs a NewZoneCore peer in the foreground.

  npx -y pnpm@12 start [options]

  --data-dir DIR          where the peer keeps its identity and data (created if missing)
  --listen ADDRESS        address to listen on; repeat it for more. Default: TCP port 27411 and WebSocket
                          port 27412 on all interfaces, or free ports where those are taken
  --bootstrap ADDRESS     peer to connect to and stay connected to, with its name: /ip4/…/tcp/…/p2p/z6Mk…
  --config FILE           settings in TOML
  --passphrase-file FILE  passphrase of the keystore
  --ask-passphrase        ask for the passphrase on the terminal
  --received-dir DIR      where received files go
  --max-file-size BYTES   largest file to accept (1 GiB); ten times as much in all
  --log-level LEVEL       silent (default), error, warn, info, debug or trace; the log goes to stderr
  --json                  one JSON line on stdout when ready and one for each event
  --help                  this text

Without a passphrase a new peer generates one and says where it is. NZCORE_PASSPHRASE gives it in the environment.
While it runs, it takes commands: type help.`;

const GIBIBYTE = 2 ** 30;

const definitions = {
  'data-dir': { type: 'string' },
  listen: { type: 'string', multiple: true },
  bootstrap: { type: 'string', multiple: true },
  config: { type: 'string' },
  'passphrase-file': { type: 'string' },
  'ask-passphrase': { type: 'boolean', default: false },
  'received-dir': { type: 'string' },
  'max-file-size': { type: 'string' },
  'log-level': { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false, short: 'h' },
} as const;

function byteCount(text: string | undefined): number {
  if (text === undefined) return GIBIBYTE;
  if (!/^\d{1,15}$/.test(text)) {
    throw new UsageError(`--max-file-size: expected a number of bytes, got "${text}"`);
  }
  return Number(text);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: definitions, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    const [reason = ''] = (cause as Error).message.split(/\. |\n/);
    throw new UsageError(`${reason.replace(/\.$/, '')}; --help lists the options`, { cause });
  }
}

/**
 * Reads the command line. Values of settings are checked later, together with those of the other sources.
 *
 * @throws UsageError
 */
export function parseOptions(args: readonly string[]): PeerOptions {
  // Some package managers pass on the `--` that separates their options from ours.
  const values = parse(args[0] === '--' ? args.slice(1) : args);
  const level = values['log-level'] as NonNullable<NodeConfigInput['log']>['level'];
  return {
    isHelp: values.help,
    isJson: values.json,
    asksPassphrase: values['ask-passphrase'],
    configFile: values.config,
    receivedDirectory: values['received-dir'],
    maxFileBytes: byteCount(values['max-file-size']),
    config: {
      dataDir: values['data-dir'],
      listen: values.listen,
      ...(values.bootstrap === undefined ? {} : { bootstrap: values.bootstrap }),
      passphraseFile: values['passphrase-file'],
      ...(level === undefined ? {} : { log: { level } }),
    },
  };
}
