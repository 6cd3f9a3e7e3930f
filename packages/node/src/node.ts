import type { Identity, PeerId } from '@nzcore/identity';
import { openProfileStore } from '@nzcore/identity/profile-store';
import {
  type ConnectionManager,
  createConnectionManager,
  createMessenger,
  createUpgrader,
  listenOnFirstFree,
  MESSAGE_PROTOCOL,
  type MessageHandler,
  type Messenger,
  parseAddress,
  type SignalOptions,
  type Stream,
  tryParseAddress,
} from '@nzcore/transport';
import { type NodeConfig, type NodeConfigInput, parseConfig } from './config.ts';
import { NodeError } from './errors.ts';
import { TypedEventTarget } from './events.ts';
import type { NodeEvents, NodeState } from './node-events.ts';
import type { NodeParts } from './parts.ts';
import type { ConnectedPeer, NodeStreamHandler, PeerNode } from './peer-node.ts';
import { Resources } from './resources.ts';
import { transportEvents } from './transport-events.ts';

// Of the five seconds that a stop may take, most are left to the disk.
const GOODBYE_TIMEOUT = 2000;

/** What {@link createNode} is made with. */
export interface NodeOptions {
  readonly parts: NodeParts;
}

/** What a running node holds. */
interface Running {
  readonly identity: Identity;
  readonly connections: ConnectionManager;
  readonly messenger: Messenger;
  readonly resources: Resources;
}

/**
 * Composes a peer; opens nothing until `start`.
 *
 * @throws NodeError `CONFIG_INVALID`
 */
export function createNode(config: NodeConfigInput, { parts }: NodeOptions): PeerNode {
  return new ComposedNode(parseConfig(config), parts);
}

class ComposedNode extends TypedEventTarget<NodeEvents> implements PeerNode {
  readonly #config: NodeConfig;
  readonly #parts: NodeParts;
  readonly #messageHandlers = new Set<MessageHandler>();
  readonly #streamHandlers = new Map<string, NodeStreamHandler>();
  readonly #served = new Map<string, Disposable>();
  #state: NodeState = 'stopped';
  #running: Running | undefined;
  #addresses: readonly string[] = [];
  #starting: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(config: NodeConfig, parts: NodeParts) {
    super();
    this.#config = config;
    this.#parts = parts;
  }

  get state(): NodeState {
    return this.#state;
  }

  get peerId(): PeerId {
    return this.#open().identity.peerId;
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  async start(options: SignalOptions = {}): Promise<void> {
    if (this.#state !== 'stopped') throw new NodeError('NOT_RUNNING', `the node is ${this.#state} already`);
    this.#enter('starting');
    this.#starting = this.#start(options.signal);
    return this.#starting;
  }

  async #start(signal: AbortSignal | undefined): Promise<void> {
    const resources = new Resources();
    try {
      this.#running = await this.#compose(resources, signal);
      const { identity, connections } = this.#running;
      const bound = await this.#listen(connections);
      signal?.throwIfAborted();
      const reachable = this.#parts.reachableAddresses ?? ((address: string) => [address]);
      this.#addresses = bound.flatMap(reachable).map((address) => `${address}/p2p/${identity.peerId}`);
      this.emit('listening', { addresses: this.#addresses });
      for (const address of this.#config.bootstrap) {
        const peer = remember(connections, address);
        if (peer !== undefined && peer !== identity.peerId) connections.keep(peer);
      }
      this.#enter('running');
    } catch (error) {
      this.#forget();
      await resources.close().catch(() => undefined); // The first failure is the one that helps.
      this.#enter('stopped');
      throw error;
    }
  }

  /** On the configured addresses, or on the first free one of each group of the parts' own. */
  async #listen(connections: ConnectionManager): Promise<readonly string[]> {
    const groups = this.#config.listen?.map((address) => [address]) ?? this.#parts.defaultListen ?? [];
    const bound: string[] = [];
    for (const group of groups) bound.push(...(await listenOnFirstFree(connections, group)));
    return bound;
  }

  async #compose(resources: Resources, signal: AbortSignal | undefined): Promise<Running> {
    const config = this.#config;
    const parts = this.#parts;
    const base = await parts.openStore(config);
    resources.add(() => base[Symbol.asyncDispose]());
    signal?.throwIfAborted();
    const identity = await parts.openIdentity(config, base);
    resources.add(() => identity[Symbol.dispose]());
    signal?.throwIfAborted();
    const store = await (parts.protectStore ?? openProfileStore)(base, identity);
    resources.add(() => store[Symbol.asyncDispose]());
    const networkKey = await parts.readNetworkKey?.(config);
    signal?.throwIfAborted();
    const messenger: Messenger = createMessenger({
      openStream: (peer, protocol, options) => connections.openStream(peer, protocol, options),
      maxBytes: config.limits.messageBytes,
      handlers: this.#messageHandlers,
      onMessage: (message) => this.emit('message', message),
    });
    const upgrader = createUpgrader({
      identity,
      ...(networkKey === undefined ? {} : { networkKey }),
      onGoAway: (connection) => messenger.release(connection),
    });
    const connections: ConnectionManager = (parts.createConnectionManager ?? createConnectionManager)({
      localPeer: identity.peerId,
      upgrader,
      transports: parts.createTransports(config),
      store: store.namespace('peers'),
      limits: { maxConnections: config.limits.connections },
      onEvent: transportEvents({
        target: this,
        bootstrapPeers: new Set(config.bootstrap.flatMap((address) => parseAddress(address).peer ?? [])),
      }),
    });
    resources.add(() => closeConnections(connections, messenger));
    await connections.addressBook.load();
    connections.handle(MESSAGE_PROTOCOL, (stream) => messenger.serve(stream));
    for (const [protocol, handler] of this.#streamHandlers) this.#serve(connections, protocol, handler);
    return { identity, connections, messenger, resources };
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = undefined;
    });
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await this.#starting.catch(() => undefined);
    const running = this.#running;
    if (running === undefined) return;
    this.#enter('stopping');
    this.#forget();
    try {
      await running.resources.close();
    } finally {
      this.#enter('stopped');
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async send(peer: PeerId, bytes: Uint8Array, options: SignalOptions = {}): Promise<void> {
    const { messenger } = this.#open();
    await messenger.send(peer, bytes, options).catch((cause: Error) => {
      if (cause instanceof RangeError || options.signal?.aborted) throw cause;
      const message = `the message to ${peer} was not acknowledged: ${cause.message}`;
      throw new NodeError('SEND_FAILED', message, { cause });
    });
  }

  onMessage(handler: MessageHandler): () => void {
    this.#messageHandlers.add(handler);
    return () => this.#messageHandlers.delete(handler);
  }

  handle(protocol: string, handler: NodeStreamHandler): () => void {
    if (this.#streamHandlers.has(protocol)) throw new TypeError(`the protocol has a handler: ${protocol}`);
    this.#streamHandlers.set(protocol, handler);
    if (this.#running !== undefined) this.#serve(this.#running.connections, protocol, handler);
    return () => {
      this.#streamHandlers.delete(protocol);
      this.#served.get(protocol)?.[Symbol.dispose]();
    };
  }

  #serve(connections: ConnectionManager, protocol: string, handler: NodeStreamHandler): void {
    this.#served.set(protocol, connections.handle(protocol, handler));
  }

  async openStream(peer: PeerId, protocol: string, options: SignalOptions = {}): Promise<Stream> {
    return this.#open().connections.openStream(peer, protocol, options);
  }

  async connect(target: string, options: SignalOptions = {}): Promise<PeerId> {
    const { connections } = this.#open();
    remember(connections, target);
    const { remotePeer } = await connections.connect(target, options);
    await connections.addressBook.flush();
    return remotePeer;
  }

  peers(): readonly ConnectedPeer[] {
    const connections = this.#running?.connections.connections() ?? [];
    return connections.map(({ remotePeer: peerId, remoteAddress: address, direction }) => {
      return { peerId, address, direction };
    });
  }

  knownPeers(): readonly PeerId[] {
    return this.#running?.connections.addressBook.peers() ?? [];
  }

  #open(): Running {
    if (this.#running === undefined)
      throw new NodeError('NOT_RUNNING', 'the node is not running: await start()');
    return this.#running;
  }

  #forget(): void {
    this.#running = undefined;
    this.#addresses = [];
  }

  #enter(state: NodeState): void {
    this.#state = state;
    this.emit('state', { state });
  }
}

/** Puts an address that the owner named into the address book. Answers whose it is, if it says so. */
function remember(connections: ConnectionManager, address: string): PeerId | undefined {
  const peer = tryParseAddress(address)?.peer;
  if (peer !== undefined) connections.addressBook.add(peer, [address], { source: 'manual' });
  return peer;
}

/** Closes all connections; those that wait for their streams longer than a moment are dropped. */
async function closeConnections(connections: ConnectionManager, messenger: Messenger): Promise<void> {
  const closed = connections.close({ signal: AbortSignal.timeout(GOODBYE_TIMEOUT) });
  messenger.close();
  await closed;
}
