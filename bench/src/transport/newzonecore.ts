import { randomBytes } from 'node:crypto';
import { ready, useNativeSodium, x25519 } from '@nzcore/crypto';
import { createTicketCache } from '@nzcore/crypto/handshake';
import { identityFromSeed, type LocalIdentity } from '@nzcore/identity';
import {
  type Connection,
  createConnectionManager,
  createTimerWheel,
  createUpgrader,
  type Stream,
  type Transport,
  upgradeInbound,
  upgradeOutbound,
} from '@nzcore/transport';
import type { Adapter, Mode, PeerConnection, PeerStream } from './adapter.ts';

const protocolOf = (mode: Mode): string => `/bench/${mode}`;
const modeOf = (protocol: string): Mode => protocol.slice('/bench/'.length) as Mode;

function streamOverNewZoneCore(inner: Stream): PeerStream {
  const stream: PeerStream = {
    onBytes: () => undefined,
    onEnd: () => undefined,
    write: (data) => inner.write(data),
    drained: () => inner.drained(),
    end: () => void inner.closeWrite().catch(() => undefined),
  };
  inner.receive({
    isBorrowing: true,
    onData: (chunk) => stream.onBytes(chunk.byteLength),
    onEnd: () => stream.onEnd(),
    onReset: () => stream.onEnd(),
  });
  return stream;
}

function connectionOverNewZoneCore(inner: Connection): PeerConnection {
  return {
    open: async (mode) => streamOverNewZoneCore(await inner.openStream(protocolOf(mode))),
    close: () => inner.abort(),
  };
}

/** How our own side runs. */
export interface NewZoneCoreOptions {
  readonly transport: Transport;
  /** Address to listen on. */
  readonly listen: string;
  /**
   * Dials who is known from the connection before: by what both sides kept of it, as the connection manager does (resumed), or only by
   * the static key that it has proved (ik). @defaultValue each dial is one of a stranger (XX)
   */
  readonly warm?: 'resumed' | 'ik';
  /** Both sides are somebody new each time, so that nothing which is remembered of a known peer helps. @defaultValue false */
  readonly strangers?: boolean;
  /** Without sodium-native, which secret-stream and hyperdht always have. @defaultValue false */
  readonly isPortable?: boolean;
}

/** More than any cache of keys or certificates holds: used in turn, each one is forgotten before it comes again. */
const STRANGERS = 1500;

/**
 * Gives the keys for the next handshake. Each has been used before: a process reads its own keys in its first handshake and has
 * them ever after (as the peers have theirs from the start), only who is at the other end is new.
 */
function createIdentities(count: number): () => LocalIdentity {
  const { publicKey } = x25519.generateKeyPair();
  const identities = Array.from({ length: count }, () => {
    const identity = identityFromSeed(randomBytes(32)).handshakeIdentity(Date.now());
    x25519.sharedSecret(identity.staticKeyPair.secretKey, publicKey);
    return identity;
  });
  let next = 0;
  return () => identities[next++ % count]!;
}

/** NZ-HANDSHAKE-01, NZ-CHANNEL-01 and NZ-WIRE-01 over a transport of ours, as they come: no limit and no cipher is changed. */
export function createNewZoneCore(options: NewZoneCoreOptions): Adapter {
  const { transport, listen, warm, strangers = false, isPortable = false } = options;
  // One timer for all connections, as the connection manager has it.
  const timers = createTimerWheel();
  const kept = warm === 'resumed' ? { tickets: createTicketCache() } : {};
  const prepare = async (): Promise<void> => {
    await ready();
    if (!isPortable) useNativeSodium((await import('sodium-native')).default);
  };
  return {
    async serve(onStream) {
      await prepare();
      const nextIdentity = createIdentities(strangers ? STRANGERS : 1);
      const { addresses } = await transport.listen(listen, {
        onConnection: (bytes) => {
          const upgrade = {
            identity: nextIdentity(),
            timers,
            ...kept,
            onStream: (stream: Stream) => onStream(streamOverNewZoneCore(stream), modeOf(stream.protocol)),
          };
          // A dialler that drops its connection in the middle of the handshake is none of the measurement's business.
          upgradeInbound(bytes, upgrade).catch(() => undefined);
        },
      });
      const [address] = addresses;
      if (address === undefined) throw new Error('nothing was bound');
      return address;
    },
    async listen() {
      const identity = identityFromSeed(randomBytes(32));
      const manager = createConnectionManager({
        localPeer: identity.peerId,
        upgrader: createUpgrader({ identity }),
        transports: [transport],
      });
      await manager.listen(listen);
    },
    async connect(address) {
      await prepare();
      const nextIdentity = createIdentities(strangers ? STRANGERS : 1);
      let known: Connection | undefined;
      return {
        async dial() {
          const connection = await upgradeOutbound(transport.dial(address), {
            identity: nextIdentity(),
            timers,
            ...kept,
            ...(known && { expectedPeer: known.remotePeer, remoteStaticKey: known.remoteStaticKey }),
          });
          if (warm !== undefined) known = connection;
          return connectionOverNewZoneCore(connection);
        },
      };
    },
  };
}
