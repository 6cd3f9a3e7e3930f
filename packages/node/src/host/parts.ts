import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { wipe } from '@nzcore/crypto';
import type { Identity } from '@nzcore/identity';
import { createKeystore, openKeystore, type Passphrase, readKeyFile } from '@nzcore/identity/keystore';
import { openProfileStore } from '@nzcore/identity/profile-store';
import type { KeyValueStore } from '@nzcore/storage';
import { openLevelStore } from '@nzcore/storage/level';
import { createTcpTransport, reachableAddresses } from '@nzcore/transport/tcp';
import { createWebSocketTransport } from '@nzcore/transport/ws';
import type { NodeConfig } from '../config.ts';
import { NodeError } from '../errors.ts';
import type { NodeParts } from '../parts.ts';
import { type PassphraseTarget, readConfiguredPassphrase } from './passphrase.ts';

/** What the machine's parts may be given. */
export interface HostOptions {
  /** Finds the keystore's passphrase. @defaultValue {@link readConfiguredPassphrase} */
  readonly passphrase?: (target: PassphraseTarget) => Promise<Passphrase | undefined>;
}

// Two numbers that no common service has: a peer that starts again is found where it was.
const LISTEN_GROUPS: readonly (readonly string[])[] = [
  ['/ip4/0.0.0.0/tcp/27411', '/ip4/0.0.0.0/tcp/0'],
  ['/ip4/0.0.0.0/tcp/27412/ws', '/ip4/0.0.0.0/tcp/0/ws'],
];

/**
 * The parts of a node on a machine: LevelDB and a keystore file in the data directory, TCP and WebSocket.
 * See spec/env.md for the files.
 */
export function hostParts({ passphrase = readConfiguredPassphrase }: HostOptions = {}): NodeParts {
  return {
    // Encrypted values do not compress.
    openStore: (config) => openLevelStore(join(directoryOf(config), 'store'), { compression: false }),
    openIdentity: (config, store) => openIdentity({ config, store, passphrase }),
    // Keys are blinded as well: whom a peer knows is nobody else's business.
    protectStore: (store, identity) => openProfileStore(store, identity, { blindKeys: true }),
    readNetworkKey,
    createTransports: () => [createTcpTransport(), createWebSocketTransport()],
    defaultListen: LISTEN_GROUPS,
    reachableAddresses,
  };
}

function directoryOf({ dataDir }: NodeConfig): string {
  if (dataDir === undefined) throw new NodeError('CONFIG_INVALID', 'config: "dataDir" must be set');
  return resolve(dataDir);
}

interface IdentityRequest {
  readonly store: KeyValueStore;
  readonly config: NodeConfig;
  readonly passphrase: NonNullable<HostOptions['passphrase']>;
}

async function openIdentity({ store, config, passphrase: find }: IdentityRequest): Promise<Identity> {
  const dataDir = directoryOf(config);
  const path = join(dataDir, 'keystore');
  const isNew = await access(path).then(
    () => false,
    () => true,
  );
  if (isNew && (await store.stats()).entries > 0) {
    throw new NodeError('KEYSTORE_MISSING', `there is data in ${dataDir}, but no keystore that opens it`);
  }
  const passphrase = await find({ dataDir, isNew, file: config.passphraseFile });
  if (passphrase === undefined) {
    const advice = 'set NZCORE_PASSPHRASE, or name a file as passphraseFile';
    throw new NodeError('PASSPHRASE_REQUIRED', `the keystore in ${dataDir} needs its passphrase: ${advice}`);
  }
  try {
    using keystore = isNew
      ? await createKeystore(path, { passphrase, now: Date.now() })
      : await openKeystore(path);
    if (keystore.isLocked) await keystore.unlock(passphrase);
    return keystore.identity();
  } finally {
    if (typeof passphrase !== 'string') wipe(passphrase);
  }
}

async function readNetworkKey({ networkKeyFile: path }: NodeConfig): Promise<Uint8Array | undefined> {
  if (path === undefined) return undefined;
  return readKeyFile(path).catch((cause: Error) => {
    throw new NodeError('CONFIG_INVALID', `config: networkKeyFile: ${cause.message}`, { cause });
  });
}
