import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createSecurePeer, type SecurePeer, serveEcho, until } from './secure-peer.ts';

/** What happens to a connection when its first bytes have come. */
type Fate = (socket: Socket) => void;
const ends: Fate = (socket) => socket.end();
const FATES: Record<string, Fate> = {
  'is reset': (socket) => socket.resetAndDestroy(),
  'gets no answer but garbage': (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
  'gets half an answer': (socket) => socket.end(Uint8Array.of(0, 200, 1, 4)),
};

interface OtherServer extends AsyncDisposable {
  readonly address: string;
  /** The pattern of the first message of each connection. */
  readonly patterns: number[];
  fate: Fate;
}

/** Something at an address of a peer that is not that peer. */
async function openOther(fate: Fate): Promise<OtherServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    socket.once('data', (data) => {
      // Length, wire version, pattern.
      other.patterns.push(data[3]!);
      other.fate(socket);
    });
  });
  const other: OtherServer = {
    patterns: [],
    fate,
    get address() {
      return `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return other;
}

async function drop(a: SecurePeer, b: SecurePeer): Promise<void> {
  for (const connection of a.manager.connections()) connection.abort();
  await until(() => a.manager.connections().length + b.manager.connections().length === 0);
}

/** `a` and `b` know each other: `a` has the static key of `b` and three tickets to dial it with. */
async function meet(a: SecurePeer, b: SecurePeer): Promise<string> {
  const addresses: string[] = [];
  for (const peer of [a, b]) {
    serveEcho(peer);
    const [bound] = await peer.manager.listen('/ip4/127.0.0.1/tcp/0');
    addresses.push(`${bound}/p2p/${peer.identity.peerId}`);
  }
  for (const [dialling, target] of [
    [a, addresses[1]!],
    [b, addresses[0]!],
    [b, addresses[0]!],
    [b, addresses[0]!],
  ] as const) {
    await dialling.manager.connect(target);
    await until(() => a.manager.connections().length + b.manager.connections().length === 2);
    await drop(a, b);
  }
  return addresses[1]!;
}

/** Puts other addresses in the place of what `a` knows of `b`. */
function mislead(a: SecurePeer, b: SecurePeer, addresses: readonly string[]): void {
  const { addressBook } = a.manager;
  const known = addressBook.addresses(b.identity.peerId).map(({ address }) => address);
  addressBook.add(b.identity.peerId, addresses, { source: 'manual' });
  for (const address of known) addressBook.remove(b.identity.peerId, address);
}

const NNPSK0 = 4;
const IK = 2;

describe('a dial that fails', () => {
  it.each(Object.entries(FATES))('%s: it is not done twice, and nothing is forgotten', async (_, fate) => {
    await using a = createSecurePeer(1);
    await using b = createSecurePeer(2);
    await using other = await openOther(fate);
    const target = await meet(a, b);
    mislead(a, b, [other.address]);
    await expect(a.manager.connect(b.identity.peerId)).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
    expect(other.patterns).toEqual([NNPSK0]);
    expect(a.manager.addressBook.staticKey(b.identity.peerId)).toBeDefined();
    expect((await a.manager.connect(target)).isResumed).toBe(true);
  });

  it('ends without a word where it resumed: it is done again once, without tickets (NZ-HANDSHAKE-01 §5.7)', async () => {
    await using a = createSecurePeer(1);
    await using b = createSecurePeer(2);
    await using other = await openOther(ends);
    const target = await meet(a, b);
    mislead(a, b, [other.address]);
    for (const patterns of [[NNPSK0, IK], [IK]]) {
      await expect(a.manager.connect(b.identity.peerId)).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
      expect(other.patterns.splice(0)).toEqual(patterns);
    }
    expect((await a.manager.connect(target)).isResumed).toBe(false);
    await until(() => b.manager.connections().length === 1);
    await drop(a, b);
    // What the peer has to dial with was not forgotten.
    expect((await b.manager.connect(a.identity.peerId)).isResumed).toBe(true);
  });

  it('is not done again at once at an address that failed the last time', async () => {
    await using a = createSecurePeer(1);
    await using b = createSecurePeer(2);
    await using other = await openOther(FATES['is reset']!);
    await meet(a, b);
    mislead(a, b, [other.address]);
    for (const fate of [other.fate, ends]) {
      other.fate = fate;
      await expect(a.manager.connect(b.identity.peerId)).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
    }
    expect(other.patterns).toEqual([NNPSK0, NNPSK0]);
  });

  it('is done again at one address, however many end it', async () => {
    await using a = createSecurePeer(1, { dialPolicy: { attemptDelay: 1 } });
    await using b = createSecurePeer(2);
    const held: Socket[] = [];
    await using first = await openOther((socket) => held.push(socket));
    await using second = await openOther((socket) => held.push(socket));
    await meet(a, b);
    mislead(a, b, [first.address, second.address]);
    const outcome = expect(a.manager.connect(b.identity.peerId)).rejects.toMatchObject({
      code: 'DIAL_FAILED',
    });
    await until(() => held.length === 2);
    first.fate = ends;
    second.fate = ends;
    for (const socket of held) socket.end();
    await outcome;
    expect([...first.patterns, ...second.patterns].sort()).toEqual([IK, NNPSK0, NNPSK0]);
  });

  it('has a key that is none: it is forgotten, and the peer dialled without', async () => {
    await using a = createSecurePeer(1, { secure: { isResuming: false } });
    await using b = createSecurePeer(2);
    const target = await meet(a, b);
    a.manager.addressBook.recordSuccess(b.identity.peerId, target, new Uint8Array(32));
    const connection = await a.manager.connect(b.identity.peerId);
    expect(a.manager.addressBook.staticKey(b.identity.peerId)).toEqual(connection.remoteStaticKey);
  });
});
