import type { LogLevel } from '../config.ts';
import type { PeerNode } from '../peer-node.ts';

/** The part of a pino logger that the node writes to. */
export interface Log {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

// Nothing logs these on purpose; a field that gets one by mistake shows `[redacted]` instead.
const secretNames = ['passphrase', 'secretKey', 'mnemonic', 'seed', 'networkKey', 'storageKey', 'privateKey'];

/** Opens a log on stderr, or on `destination`: one JSON object a line. Undefined at level `silent`, and pino is not loaded. */
export async function openLog(
  level: LogLevel,
  destination?: { write(line: string): void },
): Promise<Log | undefined> {
  if (level === 'silent') return undefined;
  const { pino, destination: open } = await import('pino');
  const redact = {
    paths: secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
    censor: '[redacted]',
  };
  const log: Log = pino({ name: 'nzcore', level, redact }, destination ?? open({ dest: 2, sync: true }));
  return log;
}

/** Writes what happens to a node into a log, until `signal` aborts. Contents of messages are never logged. */
export function attachLog(node: PeerNode, log: Log, options: { readonly signal?: AbortSignal } = {}): void {
  node.on('state', ({ state }) => log.info({ state }, 'state'), options);
  node.on('listening', (fields) => log.info(fields, 'listening'), options);
  node.on('connected', (fields) => log.info(fields, 'connected'), options);
  node.on('disconnected', (fields) => log.info(fields, 'disconnected'), options);
  node.on('dialFailed', (fields) => log.warn(fields, 'dial failed'), options);
  node.on('reconnecting', (fields) => log.debug(fields, 'reconnecting'), options);
  node.on('message', ({ from, bytes }) => log.debug({ from, bytes: bytes.length }, 'message'), options);
  node.on('problem', ({ code, message }) => log.error({ code, message }, 'problem'), options);
}
