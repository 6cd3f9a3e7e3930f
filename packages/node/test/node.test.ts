import type { PeerId } from '@nzcore/identity';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createNode, type NodeError, type NodeEvents, type PeerNode } from '../src/index.ts';
import { createMemoryNetwork, memoryNode, memoryParts } from './parts-in-memory.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const nodes: PeerNode[] = [];

function make(network: ReturnType<typeof createMemoryNetwork>, name: string, config = {}) {
  const made = memoryNode(network, name, config);
  nodes.push(made.node);
  return made;
}

async function pair(config = {}): Promise<[PeerNode, PeerNode]> {
  const network = createMemoryNetwork();
  const { node: alice } = make(network, 'alice', config);
  await alice.start();
  const { node: bob } = make(network, 'bob', { bootstrap: alice.addresses, ...config });
  const connected = once(bob, 'connected');
  await bob.start();
  await connected;
  return [alice, bob];
}

function once<Name extends keyof NodeEvents & string>(node: PeerNode, name: Name): Promise<NodeEvents[Name]> {
  return new Promise((resolve) => node.on(name, resolve, { once: true }));
}

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
});

describe('a node', () => {
  it('opens its parts in order and closes them in the reverse', async () => {
    const { node, parts } = make(createMemoryNetwork(), 'alice');
    const states: string[] = [];
    node.on('state', ({ state }) => states.push(state));
    await node.start();
    expect(parts.log).toEqual(['store opened', 'identity opened']);
    await node.stop();
    expect(parts.log.slice(2)).toEqual(['identity disposed', 'store closed']);
    expect(states).toEqual(['starting', 'running', 'stopping', 'stopped']);
  });

  it('can be started again, and is the same peer', async () => {
    const { node } = make(createMemoryNetwork(), 'alice');
    await node.start();
    const { peerId, addresses } = node;
    expect(addresses).toEqual([`/memory/alice/p2p/${peerId}`]);
    await node.stop();
    expect(node.addresses).toEqual([]);
    await node.start();
    expect(node.peerId).toBe(peerId);
  });

  it('refuses what needs it to run, and a second start', async () => {
    const { node } = make(createMemoryNetwork(), 'alice');
    expect(() => node.peerId).toThrow(/not running/);
    await expect(node.connect('/memory/bob')).rejects.toMatchObject({ code: 'NOT_RUNNING' });
    await node.start();
    await expect(node.start()).rejects.toMatchObject({ code: 'NOT_RUNNING' });
  });

  it('closes what it opened when a step of the start fails, and can then be started', async () => {
    const network = createMemoryNetwork();
    const { node: first } = make(network, 'alice');
    await first.start();
    const parts = memoryParts(network, 1);
    const node = createNode({ listen: ['/memory/bob', '/memory/alice'] }, { parts });
    nodes.push(node);
    await expect(node.start()).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
    expect(node.state).toBe('stopped');
    expect(parts.log.slice(2)).toEqual(['identity disposed', 'store closed']);
    await first.stop();
    await node.start();
    expect(node.state).toBe('running');
  });

  it('stops when it is disposed, while it starts, and twice', async () => {
    const { node } = make(createMemoryNetwork(), 'alice');
    const starting = node.start();
    await Promise.all([node.stop(), node.stop(), starting]);
    expect(node.state).toBe('stopped');
    await node[Symbol.asyncDispose]();
  });

  it('gives a start up when its signal aborts', async () => {
    const { node, parts } = make(createMemoryNetwork(), 'alice');
    await expect(node.start({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    expect(parts.log).toEqual(['store opened', 'store closed']);
  });

  it('does not open anything when the configuration is wrong', () => {
    const parts = memoryParts(createMemoryNetwork(), 1);
    expect(() => createNode({ listen: ['nowhere'] }, { parts })).toThrow(/must be a multiaddr/);
    expect(parts.log).toEqual([]);
  });

  it('takes the first free address of each group that its parts offer', async () => {
    const network = createMemoryNetwork();
    const { node: first } = make(network, 'alice');
    await first.start();
    const parts = { ...memoryParts(network, 2), defaultListen: [['/memory/carol'], []] };
    const node = createNode({}, { parts });
    nodes.push(node);
    await node.start();
    expect(node.addresses).toEqual([`/memory/carol/p2p/${node.peerId}`]);
  });
});

describe('two nodes', () => {
  it('know each other by name on both sides', async () => {
    const [alice, bob] = await pair();
    await vi.waitFor(() => expect(alice.peers()).toHaveLength(1));
    expect(alice.peers()).toMatchObject([{ peerId: bob.peerId, direction: 'inbound' }]);
    expect(bob.peers()).toMatchObject([{ peerId: alice.peerId, direction: 'outbound' }]);
    expect(bob.knownPeers()).toEqual([alice.peerId]);
  });

  it('send messages in both directions, in order, and send waits for the handler', async () => {
    const [alice, bob] = await pair();
    const taken: string[] = [];
    let release: () => void = () => undefined;
    alice.onMessage(({ from, bytes }) => {
      expect(from).toBe(bob.peerId);
      taken.push(new TextDecoder().decode(bytes));
      if (taken.length > 1) return undefined;
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    const sent = vi.fn();
    const first = bob.send(alice.peerId, text('one')).then(sent);
    await bob.send(alice.peerId, text('two'));
    expect(taken).toEqual(['one', 'two']);
    expect(sent).not.toHaveBeenCalled();
    release();
    await first;
    const message = once(bob, 'message');
    bob.onMessage(() => undefined);
    await alice.send(bob.peerId, text('three'));
    await expect(message).resolves.toEqual({ from: alice.peerId, bytes: text('three') });
  });

  it('do not say that a message arrived that nobody took', async () => {
    const [alice, bob] = await pair();
    await expect(bob.send(alice.peerId, text('x'))).rejects.toMatchObject({ code: 'SEND_FAILED' });
    const off = alice.onMessage(() => {
      throw new Error('full');
    });
    await expect(bob.send(alice.peerId, text('x'))).rejects.toMatchObject({ code: 'SEND_FAILED' });
    off();
    alice.onMessage(() => undefined);
    await bob.send(alice.peerId, text('x'));
  });

  it('refuse a message that is too large before it is sent', async () => {
    const [alice, bob] = await pair({ limits: { messageBytes: 1024 } });
    alice.onMessage(() => undefined);
    await bob.send(alice.peerId, new Uint8Array(1024));
    await expect(bob.send(alice.peerId, new Uint8Array(1025))).rejects.toThrow(RangeError);
  });

  it('carry messages of the largest size that can be configured', async () => {
    const messageBytes = 2 ** 23;
    await expect(pair({ limits: { messageBytes: messageBytes + 1 } })).rejects.toThrow('1024 to 8388608');
    const [alice, bob] = await pair({ limits: { messageBytes } });
    const sizes: number[] = [];
    alice.onMessage(({ bytes }) => void sizes.push(bytes.length));
    await Promise.all([1, 2].map(() => bob.send(alice.peerId, new Uint8Array(messageBytes))));
    expect(sizes).toEqual([messageBytes, messageBytes]);
  });

  it('give a message up when its signal aborts, or when the peer cannot be reached', async () => {
    const [alice, bob] = await pair();
    alice.onMessage(() => new Promise(() => undefined));
    const controller = new AbortController();
    const sending = bob.send(alice.peerId, text('x'), { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(sending).rejects.toThrow('enough');
    const stranger = 'z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH' as PeerId;
    await expect(bob.send(stranger, text('x'))).rejects.toMatchObject({ code: 'SEND_FAILED' });
  });

  it('stop quickly although they have message streams open, and find each other again', async () => {
    const [alice, bob] = await pair();
    alice.onMessage(() => undefined);
    bob.onMessage(() => undefined);
    await bob.send(alice.peerId, text('x'));
    await alice.send(bob.peerId, text('x'));
    const gone = once(bob, 'disconnected');
    const started = performance.now();
    await alice.stop();
    expect(performance.now() - started).toBeLessThan(1500);
    await expect(gone).resolves.toMatchObject({ reason: 'closed' });
    const back = once(bob, 'connected');
    await alice.start();
    await back;
    await bob.send(alice.peerId, text('y'));
  });

  it('serve protocols of their own, until they no longer want to', async () => {
    const [alice, bob] = await pair();
    const off = alice.handle('/echo/1', async (stream) => {
      for await (const chunk of stream) stream.write(chunk);
      await stream.closeWrite();
    });
    expect(() => alice.handle('/echo/1', () => undefined)).toThrow(TypeError);
    const stream = await bob.openStream(alice.peerId, '/echo/1');
    stream.write(text('hello'));
    await stream.closeWrite();
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe('hello');
    off();
    const refused = await bob.openStream(alice.peerId, '/echo/1');
    await expect(refused[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'UNSUPPORTED_PROTOCOL',
    });
  });
});

describe('a bootstrap peer', () => {
  it('that is somebody else is a problem that is told', async () => {
    const network = createMemoryNetwork();
    const { node: mallory } = make(network, 'mallory');
    await mallory.start();
    const expected = 'z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH';
    const { node } = make(network, 'bob', { bootstrap: [`/memory/mallory/p2p/${expected}`] });
    const problem = once(node, 'problem') as Promise<NodeError>;
    await node.start();
    const { code, message } = await problem;
    expect(code).toBe('BOOTSTRAP_MISMATCH');
    expect(message).toContain(expected);
  });

  it('that cannot be reached is no problem: it is told, and dialled again', async () => {
    const network = createMemoryNetwork();
    const bootstrap = ['/memory/nobody/p2p/z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH'];
    const { node } = make(network, 'bob', { bootstrap });
    const [failed, again] = [once(node, 'dialFailed'), once(node, 'reconnecting')];
    await node.start();
    expect(await failed).toMatchObject({ address: '/memory/nobody', code: 'DIAL_FAILED' });
    expect((await again).delay).toBeGreaterThan(0);
  });
});
