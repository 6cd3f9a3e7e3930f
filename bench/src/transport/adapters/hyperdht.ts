import DHT, { type BootstrapNode } from 'hyperdht';
import createTestnet from 'hyperdht/testnet.js';
import type { Adapter } from '../adapter.ts';
import { acceptDuplex, connectionOverDuplex } from '../duplex-stream.ts';

interface Address {
  readonly publicKey: string;
  readonly bootstrap: readonly BootstrapNode[];
}

/** hyperdht: secret-stream over UDX (UDP), found by public key through a DHT of three nodes in the server's process. */
export const adapter: Adapter = {
  async serve(onStream) {
    const testnet = await createTestnet(3);
    const node = testnet.createNode({ firewalled: false, ephemeral: false });
    const server = node.createServer({}, (stream) => acceptDuplex(stream, onStream));
    await server.listen();
    const address: Address = { publicKey: server.publicKey.toString('hex'), bootstrap: testnet.bootstrap };
    return JSON.stringify(address);
  },
  async listen() {
    const node = new DHT({ bootstrap: [], host: '127.0.0.1', ephemeral: false, firewalled: false });
    await node.fullyBootstrapped();
    await node.createServer({}, () => undefined).listen();
  },
  async connect(text) {
    const { publicKey, bootstrap } = JSON.parse(text) as Address;
    const node = new DHT({ bootstrap, host: '127.0.0.1', firewalled: false });
    await node.fullyBootstrapped();
    return {
      dial: () =>
        new Promise((resolve, reject) => {
          const stream = node.connect(Buffer.from(publicKey, 'hex'));
          stream.once('error', reject);
          stream.once('open', () => resolve(connectionOverDuplex(stream)));
        }),
    };
  },
};
