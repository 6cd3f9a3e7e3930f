import { identityFromSeed } from '@nzcore/identity';
import type { KeyValueStore } from '@nzcore/storage';
import { createMemoryStore } from '@nzcore/storage/memory';
import { createMemoryNetwork, createMemoryTransport, type MemoryNetwork } from '@nzcore/transport/memory';
import { createNode, type NodeConfigInput, type NodeParts, type PeerNode } from '../src/index.ts';

/** Parts without files and sockets; `seed` decides who the node is, and `opened` tells what was opened and closed. */
export interface MemoryParts extends NodeParts {
  readonly log: string[];
}

function tellingOnClose(store: KeyValueStore, log: string[]): KeyValueStore {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === Symbol.asyncDispose) {
        return async () => {
          log.push('store closed');
          await target[Symbol.asyncDispose]();
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

export function memoryParts(network: MemoryNetwork, seed: number): MemoryParts {
  const log: string[] = [];
  return {
    log,
    openStore: async () => {
      log.push('store opened');
      return tellingOnClose(createMemoryStore(), log);
    },
    openIdentity: async () => {
      log.push('identity opened');
      const identity = identityFromSeed(new Uint8Array(32).fill(seed));
      return Object.assign(Object.create(identity), {
        peerId: identity.peerId,
        publicKey: identity.publicKey,
        handshakeIdentity: (now: number) => identity.handshakeIdentity(now),
        storageKey: () => identity.storageKey(),
        sign: (domain: string, bytes: Uint8Array) => identity.sign(domain, bytes),
        [Symbol.dispose]: () => {
          log.push('identity disposed');
          identity[Symbol.dispose]();
        },
      });
    },
    createTransports: () => [createMemoryTransport({ network })],
  };
}

/** A node in memory that listens at `/memory/<name>`. */
export function memoryNode(
  network: MemoryNetwork,
  name: string,
  config: NodeConfigInput = {},
): { node: PeerNode; parts: MemoryParts } {
  const parts = memoryParts(network, name.charCodeAt(0));
  const node = createNode({ listen: [`/memory/${name}`], ...config }, { parts });
  return { node, parts };
}

export { createMemoryNetwork };
