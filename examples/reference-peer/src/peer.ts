import { basename, dirname, join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { createNode, NodeError, type PeerNode } from '@nzcore/node';
import { attachLog, hostParts, loadConfig, openLog } from '@nzcore/node/host';
import { parseCommand } from './commands.ts';
import { exitCodes } from './exit-codes.ts';
import { describeFailure, ReceivedDirectoryError } from './failure.ts';
import { useInstalledSodium } from './native-sodium.ts';
import { help, type PeerOptions, parseOptions } from './options.ts';
import { createJsonOutput, createTextOutput, type Output } from './output.ts';
import { findPassphrase, type GeneratedPassphrase } from './passphrase.ts';
import { shortName, systemPlaces } from './places.ts';
import { createReceivedFiles, type ReceivedFiles } from './received-files.ts';
import { readyEvent, readyText, tellConnections } from './report.ts';
import { execute, receiveEverything, type SessionOptions } from './session.ts';
import { stopOnSignals } from './signals.ts';
import { askHidden, openTerminal, type Terminal } from './terminal.ts';

/** What the peer needs of its process. */
export interface PeerProcess {
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable;
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  off(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  /** Ends at once, whatever is still open. */
  exit(code: number): void;
}

/** A moment that comes once: what ended the peer, as an exit code. */
interface Ending {
  readonly code: Promise<number>;
  readonly signal: AbortSignal;
  end(code: number): void;
}

function createEnding(): Ending {
  const controller = new AbortController();
  let settle: (code: number) => void;
  const code = new Promise<number>((resolveCode) => {
    settle = resolveCode;
  });
  return {
    code,
    signal: controller.signal,
    end: (value) => {
      settle(value);
      controller.abort();
    },
  };
}

function askPassphrase({ stdin, stderr }: PeerProcess): ((isNew: boolean) => Promise<string>) | undefined {
  if (stdin.isTTY !== true) return undefined;
  return async (isNew) => {
    const passphrase = await askHidden(stdin, stderr, isNew ? 'New passphrase: ' : 'Passphrase: ');
    if (passphrase === '') throw new NodeError('PASSPHRASE_REQUIRED', 'an empty passphrase protects nothing');
    if (isNew && (await askHidden(stdin, stderr, 'The same again: ')) !== passphrase) {
      throw new NodeError('PASSPHRASE_REQUIRED', 'the two passphrases differ; start again');
    }
    return passphrase;
  };
}

interface Prepared {
  readonly node: PeerNode;
  readonly dataDir: string;
  readonly isNative: boolean;
  generated(): GeneratedPassphrase | undefined;
}

async function prepare(
  options: PeerOptions,
  host: PeerProcess,
  onDataDir: (dataDir: string) => void,
): Promise<Prepared> {
  const { configFile: file, config: given } = options;
  const places = systemPlaces();
  const loaded = await loadConfig({ file, environment: host.env, options: given });
  const dataDir = resolve(loaded.dataDir ?? places.dataDir);
  onDataDir(dataDir);
  let generated: GeneratedPassphrase | undefined;
  const sources = { ask: askPassphrase(host), asksFirst: options.asksPassphrase, places };
  const parts = hostParts({
    passphrase: async (target) => {
      const found = await findPassphrase(target, sources);
      generated = found.generated;
      return found.passphrase;
    },
  });
  const isNative = await useInstalledSodium();
  const node = createNode({ ...loaded, dataDir }, { parts });
  const log = await openLog(loaded.log.level);
  if (log !== undefined) attachLog(node, log);
  return { node, dataDir, isNative, generated: () => generated };
}

function openOutput(options: PeerOptions, host: PeerProcess, terminal: () => Terminal | undefined): Output {
  const write = (text: string): void => {
    const open = terminal();
    if (open === undefined) host.stdout.write(text);
    else open.write(text);
  };
  return options.isJson ? createJsonOutput(write) : createTextOutput(write);
}

function openCommands(session: SessionOptions, host: PeerProcess, options: PeerOptions): Terminal {
  const isInteractive = !options.isJson && host.stdin.isTTY === true && host.stdout.isTTY === true;
  return openTerminal(
    { input: host.stdin, output: host.stdout, isInteractive },
    {
      onLine: (line) => {
        try {
          const command = parseCommand(line);
          if (command !== undefined) void execute(command, session);
        } catch (error) {
          const { message } = error as Error;
          session.output.tell({ event: 'error', message }, message);
        }
      },
      onInterrupt: session.quit,
      // Without a terminal an end of input is no reason to stop: under a supervisor there is none at all.
      onEnd: () => {
        if (isInteractive) session.quit();
      },
    },
  );
}

function receivedDirectory({ receivedDirectory: given }: PeerOptions, dataDir: string): string {
  return resolve(given ?? join(dirname(dataDir), `${basename(dataDir)}-received`));
}

/** Only now, when the data directory is claimed: what another process of this peer receives is not to be touched. */
async function prepareFiles(files: ReceivedFiles, directory: string): Promise<void> {
  await files.prepare().catch((cause: unknown) => {
    throw new ReceivedDirectoryError(directory, { cause });
  });
}

async function run(prepared: Prepared, options: PeerOptions, host: PeerProcess): Promise<number> {
  const ending = createEnding();
  const { node, dataDir, isNative } = prepared;
  let terminal: Terminal | undefined;
  const output = openOutput(options, host, () => terminal);
  const files = createReceivedFiles(receivedDirectory(options, dataDir), {
    maxBytes: options.maxFileBytes,
    maxTotalBytes: 10 * options.maxFileBytes,
    owner: shortName(dataDir),
  });
  const session: SessionOptions = {
    node,
    output,
    signal: ending.signal,
    files,
    quit: () => ending.end(exitCodes.ok),
  };
  const stopListening = stopOnSignals(host, {
    stop: async () => {
      ending.end(exitCodes.ok);
      await stopped;
    },
    giveUp: (reason) => {
      host.stderr.write(`nzcore: stopped the hard way: ${reason}\n`);
      host.exit(exitCodes.stopTimeout);
    },
  });
  node.on('problem', (error) => {
    const failure = describeFailure(error, dataDir);
    host.stderr.write(`nzcore: ${failure.line}\n`);
    ending.end(failure.exitCode);
  });
  // Whoever read the output has gone, as in `pnpm start | head`.
  host.stdout.on('error', () => ending.end(exitCodes.ok));
  tellConnections(node, output);
  receiveEverything(session);
  const stopped = (async () => {
    try {
      await node.start({ signal: ending.signal });
      await prepareFiles(files, receivedDirectory(options, dataDir));
      const report = { node, dataDir, isNative, generated: prepared.generated() };
      output.tell(readyEvent(report), readyText(report));
      terminal = openCommands(session, host, options);
      terminal.prompt();
      await ending.code;
    } catch (error) {
      if (!ending.signal.aborted) throw error;
    } finally {
      terminal?.[Symbol.dispose]();
      terminal = undefined;
      await node.stop();
    }
    output.tell({ event: 'stopped' }, undefined);
  })();
  try {
    await stopped;
    return await ending.code;
  } finally {
    stopListening();
  }
}

/** Runs the peer until it is told to stop; answers the exit code. Says on stderr, in one line, why it could not run. */
export async function runPeer(host: PeerProcess): Promise<number> {
  let dataDir = '';
  try {
    const options = parseOptions(host.argv.slice(2));
    if (options.isHelp) {
      host.stdout.write(`${help}\n`);
      return exitCodes.ok;
    }
    const prepared = await prepare(options, host, (directory) => {
      dataDir = directory;
    });
    return await run(prepared, options, host);
  } catch (error) {
    const failure = describeFailure(error, dataDir);
    host.stderr.write(`nzcore: ${failure.line}\n`);
    return failure.exitCode;
  }
}
