import { IdentityError } from '@nzcore/identity';
import { NodeError } from '@nzcore/node';
import { StorageError } from '@nzcore/storage';
import { TransportError } from '@nzcore/transport';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { UsageError } from './options.ts';

/** Why the peer could not run, for a person: one line that says what to do. */
export interface Failure {
  readonly exitCode: ExitCode;
  readonly line: string;
}

/** The directory of received files cannot be used; `cause` says why. */
export class ReceivedDirectoryError extends Error {
  readonly directory: string;

  constructor(directory: string, options: ErrorOptions) {
    super(`cannot use the directory of received files ${directory}`, options);
    this.name = 'ReceivedDirectoryError';
    this.directory = directory;
  }
}

const systemReasons: Readonly<Record<string, string>> = {
  EACCES: 'this account may not write there',
  EPERM: 'this account may not write there',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'it is a file',
  ENOENT: 'it cannot be created there',
  ENOSPC: 'no space is left',
};

/** The system's own error below an error, if there is one. */
function systemError(error: unknown): NodeJS.ErrnoException | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, syscall } = at as NodeJS.ErrnoException;
    if (syscall !== undefined || (code !== undefined && code in systemReasons)) return at;
  }
  return undefined;
}

function reasonOf(error: unknown): string {
  const system = systemError(error);
  return systemReasons[system?.code ?? ''] ?? system?.message ?? (error as Error).message;
}

function notWritable(dataDir: string, error: unknown): Failure {
  return {
    exitCode: exitCodes.dataDirectoryNotWritable,
    line: `cannot use the data directory ${dataDir}: ${reasonOf(error)}; choose another one with --data-dir`,
  };
}

function storageFailure(error: StorageError, dataDir: string): Failure {
  switch (error.code) {
    case 'STORE_LOCKED': {
      const advice = 'stop that peer, or give this one a --data-dir of its own';
      const line = `the data directory ${dataDir} is in use by another process: ${advice}`;
      return { exitCode: exitCodes.dataDirectoryInUse, line };
    }
    case 'IO_ERROR':
    case 'NO_SPACE':
    case 'STORE_FAILED':
      return notWritable(dataDir, error);
    default: {
      const reason = error.code === 'WRONG_KEY' ? 'it belongs to another identity' : error.code;
      const advice = 'restore the directory from a backup, or move it away to begin with an empty one';
      return {
        exitCode: exitCodes.storeCorrupt,
        line: `the store in ${dataDir} cannot be read (${reason}): ${advice}`,
      };
    }
  }
}

function identityFailure(error: IdentityError, dataDir: string): Failure {
  switch (error.code) {
    case 'WRONG_PASSPHRASE': {
      const line = `wrong passphrase for the keystore in ${dataDir}: give the one that it was created with`;
      return { exitCode: exitCodes.passphraseWrong, line };
    }
    case 'PASSPHRASE_UNAVAILABLE': {
      const line = `${error.message}: check --passphrase-file, NZCORE_PASSPHRASE_FILE and NZCORE_PASSPHRASE`;
      return { exitCode: exitCodes.passphraseUnreadable, line };
    }
    case 'INSECURE_FILE': {
      const line = `cannot take the passphrase: ${error.message}`;
      return { exitCode: exitCodes.passphraseUnreadable, line };
    }
    default: {
      const advice = 'restore it from a backup, or its identity from the seed words';
      const line = `the keystore in ${dataDir} cannot be read (${error.code}): ${advice}`;
      return { exitCode: exitCodes.keystoreUnusable, line };
    }
  }
}

function transportFailure(error: TransportError): Failure {
  const system = systemError(error);
  const what = system === undefined ? error.message : error.message.replace(`: ${system.message}`, '');
  if (system?.code === 'EADDRINUSE') {
    const advice = 'stop the program that has it, or choose another with --listen (port 0 takes a free one)';
    return { exitCode: exitCodes.portInUse, line: `${what}: the port is in use; ${advice}` };
  }
  const reasons: Readonly<Record<string, string>> = {
    EACCES: 'this account may not use that port; ports from 1024 on are open to all',
    EADDRNOTAVAIL: 'this machine does not have that address; /ip4/0.0.0.0 stands for all that it has',
  };
  const forms =
    'it must be /ip4/…/tcp/… or /ip4/…/tcp/…/ws, or the same with ip6; choose another with --listen';
  const reason = system === undefined ? forms : (reasons[system.code ?? ''] ?? system.message);
  return { exitCode: exitCodes.listenFailed, line: `${what}: ${reason}` };
}

function nodeFailure(error: NodeError, dataDir: string): Failure {
  const { message } = error;
  switch (error.code) {
    case 'CONFIG_INVALID':
      return { exitCode: exitCodes.configInvalid, line: message };
    case 'ADDRESS_INVALID':
      return { exitCode: exitCodes.addressInvalid, line: message };
    case 'PASSPHRASE_REQUIRED':
      return { exitCode: exitCodes.passphraseRequired, line: message };
    case 'KEYSTORE_MISSING': {
      const line = `${message}: restore ${dataDir} from a backup, or choose another --data-dir`;
      return { exitCode: exitCodes.keystoreUnusable, line };
    }
    case 'BOOTSTRAP_MISMATCH':
      return { exitCode: exitCodes.bootstrapMismatch, line: message };
    case 'LISTENER_LOST':
      return { exitCode: exitCodes.listenFailed, line: message };
    default:
      return { exitCode: exitCodes.unexpected, line: `unexpected: ${message}` };
  }
}

/** What to say about an error, and how to end. */
export function describeFailure(error: unknown, dataDir: string): Failure {
  if (error instanceof UsageError) return { exitCode: exitCodes.usage, line: error.message };
  if (error instanceof ReceivedDirectoryError) {
    const line = `${error.message}: ${reasonOf(error)}; choose another one with --received-dir`;
    return { exitCode: exitCodes.receivedDirectoryNotWritable, line };
  }
  if (error instanceof NodeError) return nodeFailure(error, dataDir);
  if (error instanceof StorageError) return storageFailure(error, dataDir);
  if (error instanceof IdentityError) return identityFailure(error, dataDir);
  if (error instanceof TransportError) return transportFailure(error);
  if (systemError(error) !== undefined) return notWritable(dataDir, error);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { exitCode: exitCodes.unexpected, line: `unexpected, please report it: ${text}` };
}
