import type { Identity } from '@nzcore/identity';
import type { KeyValueStore } from '@nzcore/storage';
import type { ConnectionManager, ConnectionManagerOptions, Transport } from '@nzcore/transport';
import type { NodeConfig } from './config.ts';

/**
 * What a node is made of. `start` calls them in this order; what they answer belongs to the node, which closes it in
 * the reverse order.
 */
export interface NodeParts {
  /** Opens the store of everything that the node keeps, and claims its directory where there is one. */
  openStore(config: NodeConfig): Promise<KeyValueStore>;
  /** Opens or creates who the node is. `store` is still without protection: it may only be looked at. */
  openIdentity(config: NodeConfig, store: KeyValueStore): Promise<Identity>;
  /** Protects the store with the identity's key. @defaultValue `openProfileStore` of `@nzcore/identity` */
  protectStore?(store: KeyValueStore, identity: Identity): Promise<KeyValueStore>;
  /** The 32-byte key of a private network. @defaultValue none */
  readNetworkKey?(config: NodeConfig): Promise<Uint8Array | undefined>;
  /** The kinds of byte streams that the node can dial and listen on. */
  createTransports(config: NodeConfig): readonly Transport[];
  /** Dials, pools and keeps connections. @defaultValue the one of `@nzcore/transport` */
  createConnectionManager?(options: ConnectionManagerOptions): ConnectionManager;
  /**
   * Addresses to listen on when the configuration names none: for each group, the first that is not in use.
   * @defaultValue none
   */
  readonly defaultListen?: readonly (readonly string[])[];
  /** Addresses under which others reach a bound one. @defaultValue the bound one */
  reachableAddresses?(bound: string): readonly string[];
}
