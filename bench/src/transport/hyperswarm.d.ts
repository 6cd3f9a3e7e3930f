// Neither package has types. Declared here is what the adapters use.

declare module '@hyperswarm/secret-stream' {
  import type { Duplex } from 'node:stream';

  export interface KeyPair {
    readonly publicKey: Buffer;
    readonly secretKey: Buffer;
  }

  export default class SecretStream extends Duplex {
    constructor(isInitiator: boolean, rawStream: Duplex, options: { keyPair: KeyPair });
    static keyPair(): KeyPair;
  }
}

declare module 'hyperdht' {
  import type { Duplex } from 'node:stream';

  export interface BootstrapNode {
    readonly host: string;
    readonly port: number;
  }

  export interface NodeOptions {
    readonly bootstrap?: readonly BootstrapNode[];
    readonly host?: string;
    readonly firewalled?: boolean;
    readonly ephemeral?: boolean;
  }

  export interface Server {
    readonly publicKey: Buffer;
    listen(): Promise<void>;
  }

  export default class DHT {
    constructor(options: NodeOptions);
    fullyBootstrapped(): Promise<void>;
    createServer(options: object, onConnection: (stream: Duplex) => void): Server;
    connect(publicKey: Buffer): Duplex;
  }
}

declare module 'hyperdht/testnet.js' {
  import type DHT from 'hyperdht';
  import type { BootstrapNode, NodeOptions } from 'hyperdht';

  export interface Testnet {
    readonly bootstrap: readonly BootstrapNode[];
    createNode(options: NodeOptions): DHT;
  }

  export default function createTestnet(size: number): Promise<Testnet>;
}
