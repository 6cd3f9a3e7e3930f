import { identityFromSeed } from '@nzcore/identity';
import { describe, expect, it } from 'vitest';
import type { ByteConnection } from '../src/byte-connection.ts';
import { createUpgrader } from '../src/connection/secure-upgrader.ts';
import type { Upgrader } from '../src/connection/upgrader.ts';
import { systemClock } from '../src/time/clock.ts';
import { createSecurePeer, exchange, type SecurePeer, serveEcho, until } from './secure-peer.ts';

const bytes = new Uint8Array(1_000).fill(5);

async function listening(peer: SecurePeer): Promise<string> {
  serveEcho(peer);
  const [bound] = await peer.manager.listen('/ip4/127.0.0.1/tcp/0');
  return `${bound}/p2p/${peer.identity.peerId}`;
}

/** Connects, echoes, and drops the connection. Says whether both sides have resumed. */
async function visit(a: SecurePeer, b: SecurePeer, address: string): Promise<readonly boolean[]> {
  const connection = await a.manager.connect(address);
  const stream = await connection.openStream('/test/echo');
  expect(await exchange(stream, bytes)).toEqual(bytes);
  const far = b.manager.connectionTo(a.identity.peerId)!;
  expect(far.channelBinding).toEqual(connection.channelBinding);
  expect(far.remotePeer).toBe(a.identity.peerId);
  expect(connection.remotePeer).toBe(b.identity.peerId);
  const resumed = [connection.isResumed, far.isResumed];
  connection.abort();
  await until(() => a.manager.connections().length + b.manager.connections().length === 0);
  return resumed;
}

/** A byte stream that ends when it begins with a message that resumes, as a peer of revision 1 ends it. */
function withoutResumption(bytes: ByteConnection): ByteConnection {
  let isFirst = true;
  const start: ByteConnection['start'] = (handler) =>
    bytes.start({
      onData: (chunk) => {
        // Length, wire version, pattern.
        if (isFirst && chunk[3] === 4) bytes.destroy();
        else handler.onData(chunk);
        isFirst = false;
      },
      onDrain: () => handler.onDrain(),
      onEnd: () => handler.onEnd(),
      onClose: (cause) => handler.onClose(cause),
    });
  return new Proxy(bytes, {
    get(target, key) {
      if (key === 'start') return start;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('a dial of a known peer (NZ-HANDSHAKE-01 §5.7)', () => {
  it('resumes by itself, again and again', async () => {
    await using a = createSecurePeer(1);
    await using b = createSecurePeer(2);
    const address = await listening(b);
    expect(await visit(a, b, address)).toEqual([false, false]);
    for (let again = 0; again < 5; again++) expect(await visit(a, b, address)).toEqual([true, true]);
  });

  it('resumes in the other direction as well', async () => {
    await using a = createSecurePeer(1);
    await using b = createSecurePeer(2);
    const [ofA, ofB] = [await listening(a), await listening(b)];
    expect(await visit(a, b, ofB)).toEqual([false, false]);
    expect(await visit(b, a, ofA)).toEqual([true, true]);
    expect(await visit(a, b, ofB)).toEqual([true, true]);
  });

  it('ends up with one connection when both resume at once', async () => {
    await using a = createSecurePeer(1);
    await using b = createSecurePeer(2);
    const [ofA, ofB] = [await listening(a), await listening(b)];
    await visit(a, b, ofB);
    const both = await Promise.all([a.manager.connect(ofB), b.manager.connect(ofA)]);
    expect(both.map(({ isResumed }) => isResumed)).toContain(true);
    await until(() => a.manager.connections().length === 1 && b.manager.connections().length === 1);
    const stream = await a.manager.openStream(b.identity.peerId, '/test/echo');
    expect(await exchange(stream, bytes)).toEqual(bytes);
  });

  it('falls back when the peer has been started again, and resumes the time after', async () => {
    await using a = createSecurePeer(1);
    let address: string;
    {
      await using b = createSecurePeer(2);
      address = await listening(b);
      await visit(a, b, address);
    }
    await using b = createSecurePeer(2);
    serveEcho(b);
    await b.manager.listen(address.slice(0, address.indexOf('/p2p')));
    expect(await visit(a, b, address)).toEqual([false, false]);
    expect(a.count('dial-failed')).toBe(0);
    expect(await visit(a, b, address)).toEqual([true, true]);
  });

  it('does not resume with who keeps no tickets, or when told not to', async () => {
    for (const [ours, theirs] of [
      [true, false],
      [false, true],
    ]) {
      await using a = createSecurePeer(1, { secure: { isResuming: ours! } });
      await using b = createSecurePeer(2, { secure: { isResuming: theirs! } });
      const address = await listening(b);
      await visit(a, b, address);
      expect(await visit(a, b, address)).toEqual([false, false]);
    }
  });

  it('takes the long way to a peer that knows no such message any more (§5.7)', async () => {
    let isOld = false;
    const real = createUpgrader({ identity: identityFromSeed(new Uint8Array(32).fill(2)) });
    const upgrader: Upgrader = {
      ...real,
      inbound: (bytes, given) => real.inbound(isOld ? withoutResumption(bytes) : bytes, given),
    };
    await using a = createSecurePeer(1);
    await using b = createSecurePeer(2, { upgrader });
    const [ofA, ofB] = [await listening(a), await listening(b)];
    // Two tickets to dial with, and no static key.
    await visit(a, b, ofB);
    expect(await visit(b, a, ofA)).toEqual([true, true]);
    a.manager.addressBook.forgetStaticKey(b.identity.peerId);
    isOld = true;
    expect(await visit(a, b, ofB)).toEqual([false, false]);
    expect([a.count('dial-failed'), b.count('handshake-failed')]).toEqual([0, 1]);
  });

  it('looks for expired tickets once a minute, also of who was refused (§5.7.7)', async () => {
    const delays = new Map<unknown, number>();
    const setTimeout = (callback: () => void, delay: number): unknown => {
      const handle = systemClock.setTimeout(callback, delay);
      delays.set(handle, delay);
      return handle;
    };
    const clearTimeout = (handle: unknown): void => {
      delays.delete(handle);
      systemClock.clearTimeout(handle);
    };
    await using a = createSecurePeer(1);
    await using b = createSecurePeer(2, { clock: { ...systemClock, setTimeout, clearTimeout } });
    const address = await listening(b);
    b.manager.ban(a.identity.peerId);
    await (await a.manager.connect(address)).closed;
    await until(() => b.count('handshake-failed') === 1);
    expect([...delays.values()]).toContain(60_000);
    await b.manager.close();
    expect([...delays.values()]).not.toContain(60_000);
  });

  it('does not let a banned peer in by a ticket', async () => {
    await using a = createSecurePeer(1);
    await using b = createSecurePeer(2);
    const address = await listening(b);
    await visit(a, b, address);
    b.manager.ban(a.identity.peerId);
    const connection = await a.manager.connect(address);
    expect(connection.isResumed).toBe(true);
    await connection.closed;
    expect(b.count('peer-connected')).toBe(1);
    expect(b.events.findLast(({ type }) => type === 'handshake-failed')).toMatchObject({
      error: { code: 'BANNED' },
    });
  });
});
