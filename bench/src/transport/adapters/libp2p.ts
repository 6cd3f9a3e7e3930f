import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Libp2p } from 'libp2p';
import type { Adapter, Mode, PeerStream } from '../adapter.ts';

const streamLimits = { maxInboundStreams: 100_000, maxOutboundStreams: 100_000 };

type Libp2pStream = Awaited<ReturnType<Libp2p['dialProtocol']>>;

/** tcp + noise + yamux with its limits raised and its background work off, so that it runs at its best. */
function createPeer(listen: string[]): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux(streamLimits)],
    connectionManager: {
      maxConnections: 20_000,
      inboundConnectionThreshold: Number.POSITIVE_INFINITY,
      maxIncomingPendingConnections: 10_000,
      maxParallelDials: 500,
      maxDialQueueLength: 5_000,
      reconnectRetries: 0,
    },
    connectionMonitor: { enabled: false },
    connectionGater: { denyDialMultiaddr: () => false },
  });
}

function streamOverLibp2p(inner: Libp2pStream): PeerStream {
  const stream: PeerStream = {
    onBytes: () => undefined,
    onEnd: () => undefined,
    write: (data) => inner.send(data),
    // Its own promise of a drained stream is made once and never again; the event is right.
    drained: async () => {
      if (inner.writableNeedsDrain) {
        await new Promise<void>((resolve) =>
          inner.addEventListener('drain', () => resolve(), { once: true }),
        );
      }
    },
    end: () => void inner.close().catch(() => undefined),
  };
  inner.addEventListener('message', (event) => stream.onBytes(event.data.byteLength));
  inner.addEventListener('remoteCloseWrite', () => stream.onEnd());
  return stream;
}

const protocolOf = (mode: Mode): string => `/bench/${mode}`;

export const adapter: Adapter = {
  async serve(onStream) {
    const peer = await createPeer(['/ip4/127.0.0.1/tcp/0']);
    for (const mode of ['bulk', 'echo', 'pipelined'] as const) {
      await peer.handle(protocolOf(mode), (stream) => onStream(streamOverLibp2p(stream), mode), streamLimits);
    }
    return String(peer.getMultiaddrs()[0]);
  },
  async connect(text) {
    const address = multiaddr(text);
    // One libp2p keeps one connection to a peer; ten of them may dial at once.
    const peers = await Promise.all(Array.from({ length: 10 }, () => createPeer([])));
    return {
      async dial() {
        const peer = peers.shift();
        if (peer === undefined) throw new Error('more dials at once than peers');
        try {
          const connection = await peer.dial(address, { force: true });
          return {
            open: async (mode) =>
              streamOverLibp2p(await connection.newStream(protocolOf(mode), streamLimits)),
            close: () => connection.abort(new Error('measured')),
          };
        } finally {
          peers.push(peer);
        }
      },
    };
  },
};
