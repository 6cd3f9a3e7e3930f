import { randomBytes } from 'node:crypto';
import { ready } from '@nzcore/crypto';
import { type Identity, identityFromSeed, type PeerId, parsePeerId } from '@nzcore/identity';
import {
  type Connection,
  type Stream,
  type Transport,
  upgradeInbound,
  upgradeOutbound,
} from '@nzcore/transport';
import type { Adapter, Mode, PeerConnection, PeerStream } from './adapter.ts';

interface Address {
  readonly address: string;
  readonly peerId: string;
}

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
  /** Dials with the static key that the first connection has proved: one round trip less. @defaultValue false */
  readonly warm?: boolean;
}

/** NZ-HANDSHAKE-01, NZ-CHANNEL-01 and NZ-WIRE-01 over a transport of ours, as they come: no limit and no cipher is changed. */
export function createNewZoneCore({ transport, listen, warm = false }: NewZoneCoreOptions): Adapter {
  const identity: Identity = identityFromSeed(randomBytes(32));
  return {
    async serve(onStream) {
      await ready();
      const { addresses } = await transport.listen(listen, {
        onConnection: (bytes) => {
          const options = {
            identity: identity.handshakeIdentity(Date.now()),
            onStream: (stream: Stream) => onStream(streamOverNewZoneCore(stream), modeOf(stream.protocol)),
          };
          // A dialler that drops its connection in the middle of the handshake is none of the measurement's business.
          upgradeInbound(bytes, options).catch(() => undefined);
        },
      });
      const address: Address = { address: addresses[0]!, peerId: identity.peerId };
      return JSON.stringify(address);
    },
    async connect(text) {
      await ready();
      const { address, peerId } = JSON.parse(text) as Address;
      const expectedPeer: PeerId = parsePeerId(peerId);
      let remoteStaticKey: Uint8Array | undefined;
      return {
        async dial() {
          const connection = await upgradeOutbound(await transport.dial(address), {
            identity: identity.handshakeIdentity(Date.now()),
            expectedPeer,
            ...(remoteStaticKey === undefined ? {} : { remoteStaticKey }),
          });
          if (warm) remoteStaticKey = connection.remoteStaticKey;
          return connectionOverNewZoneCore(connection);
        },
      };
    },
  };
}
