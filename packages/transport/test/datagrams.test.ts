import { identityFromSeed } from '@nzcore/identity';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DatagramEvent } from '../src/udp/datagram-endpoint.ts';
import { MAX_PACKET } from '../src/udp/datagram-packet.ts';
import { openUdpEndpoint } from '../src/udp.ts';
import { bytes, createTwo, type DatagramNode } from './datagram-network.ts';

describe('datagram sessions', () => {
  it('ask an unknown peer in two round trips, and a known session in one', async () => {
    const { network, ask, b } = createTwo();
    expect(await ask('first', {}, 50)).toBe('first');
    expect(network.packets.length).toBe(5);
    expect(await ask('second', {}, 50)).toBe('second');
    expect(network.packets.length).toBe(7);
    expect(b.ran).toEqual(['first', 'second']);
  });

  it('carry the first request in the first packet when the key is known (IK)', async () => {
    const { clock, network, a, b, ask } = createTwo();
    await ask('learn the key');
    await a.endpoint[Symbol.asyncDispose]();
    await clock.advance(100);
    const key = b.identity.handshakeIdentity(clock.now()).staticKeyPair.publicKey;
    const again = network.node(1, { staticKeyOf: () => key });
    const before = network.packets.length;
    const asked = again.endpoint.request(b.identity.peerId, b.address, bytes('early'), {
      isRepeatable: true,
    });
    await clock.advance(20);
    expect(new TextDecoder().decode(await asked)).toBe('early');
    expect(network.packets.slice(before).map(({ from, bytes: sent }) => [from, sent[0]])).toEqual([
      [again.address, 0x5a],
      [b.address, 0x5b],
      [b.address, 0x5c],
    ]);
  });

  it('fall back when the key is not that of the peer any more (XXfallback)', async () => {
    const { clock, network, b } = createTwo();
    const old = identityFromSeed(new Uint8Array(32).fill(9)).handshakeIdentity(clock.now()).staticKeyPair
      .publicKey;
    const c = network.node(3, { staticKeyOf: () => old });
    const asked = c.endpoint.request(b.identity.peerId, b.address, bytes('hello'), { isRepeatable: true });
    await clock.advance(100);
    expect(new TextDecoder().decode(await asked)).toBe('hello');
    expect(b.ran).toEqual(['hello']);
  });

  it('survive loss, repetition and reordering; a request that is not repeatable runs at most once', async () => {
    const fate = fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fate), fc.boolean(), async (fates, isRepeatable) => {
        const { clock, network, a, b } = createTwo();
        network.fate = () => fates.next().value ?? [];
        const results: string[] = [];
        for (let i = 0; i < 12; i++) {
          a.endpoint
            .request(b.identity.peerId, b.address, bytes(`${i}`), { isRepeatable, timeout: 20_000 })
            .then(
              (answer) => results.push(`${i}=${new TextDecoder().decode(answer)}`),
              (error: { code: string }) => results.push(error.code),
            );
          await clock.advance(100);
        }
        await clock.advance(25_000);
        expect(results.length).toBe(12);
        for (const result of results)
          expect(result).toMatch(/^(\d+)=\1$|^REQUEST_TIMEOUT$|^CONNECTION_LOST$/);
        if (!isRepeatable) expect(new Set(b.ran).size).toBe(b.ran.length);
        // An answer that was given was given by the handler.
        const answered = results
          .filter((result) => result.includes('='))
          .map((result) => result.split('=')[0]!);
        for (const number of answered) expect(b.ran).toContain(number);
        await a.endpoint[Symbol.asyncDispose]();
        await b.endpoint[Symbol.asyncDispose]();
        await clock.advance(1_000);
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 25 },
    );
  });

  it('find a peer again that has restarted, for requests that may be repeated', async () => {
    const { clock, network, a, b, ask } = createTwo();
    expect(await ask('one')).toBe('one');
    network.fate = (packet) => (packet.from === b.address ? [] : [5]);
    await b.endpoint[Symbol.asyncDispose]();
    network.fate = () => [5];
    const reborn = network.node(2);
    expect(await ask('two', { isRepeatable: false })).toBe('REQUEST_TIMEOUT');
    expect(await ask('three', { isRepeatable: true })).toBe('three');
    expect(reborn.ran).toEqual(['three']);
    await a.endpoint[Symbol.asyncDispose]();
    await reborn.endpoint[Symbol.asyncDispose]();
    await clock.advance(1_000);
    expect(clock.pending).toBe(0);
  });

  it('renew their keys while they are used, for an hour', async () => {
    const { clock, a, b, ask } = createTwo();
    for (let minute = 0; minute < 60; minute++) {
      expect(await ask(`${minute}`, {}, 100)).toBe(`${minute}`);
      await clock.advance(60_000);
    }
    expect([a.endpoint.sessions, b.endpoint.sessions]).toEqual([1, 1]);
  });

  it('are forgotten after ten minutes without use', async () => {
    const { clock, a, b, ask } = createTwo();
    await ask('once');
    await clock.advance(21 * 60_000);
    expect([a.endpoint.sessions, b.endpoint.sessions, clock.pending]).toEqual([0, 0, 0]);
  });

  it('end with a code: refused, another peer, too long, given up, closed', async () => {
    const { clock, network, a, b } = createTwo();
    const c = network.node(3, { onRequest: () => undefined });
    const d = network.node(4, {
      onRequest: () => {
        throw new Error('mine');
      },
    });
    const code = async (
      node: DatagramNode,
      to: string,
      text = 'x',
      signal?: AbortSignal,
    ): Promise<string> => {
      const asked = a.endpoint
        .request(node.identity.peerId, to, bytes(text), signal ? { signal } : {})
        .catch((error: { code?: string; name: string }) => error.code ?? error.name);
      await clock.advance(6_000);
      return String(await asked);
    };
    expect(await code(c, c.address)).toBe('REQUEST_FAILED');
    expect(await code(d, d.address)).toBe('REQUEST_FAILED');
    expect(await code(c, b.address)).toBe('PEER_MISMATCH');
    expect(await code(b, '/ip4/192.0.2.200/udp/1')).toBe('REQUEST_TIMEOUT');
    expect(await code(b, '/dns4/peer.example/udp/1')).toBe('INVALID_ADDRESS');
    expect(await code(b, b.address, 'x'.repeat(1151))).toBe('RangeError');
    expect(await code(b, b.address, 'x', AbortSignal.abort({ code: 'MINE' }))).toBe('MINE');
    await a.endpoint[Symbol.asyncDispose]();
    expect(await code(b, b.address)).toBe('CLOSED');
    expect(d.events.some(({ type }) => type === 'handler-failed')).toBe(true);
  });

  it('carry the longest request and response in one packet each', async () => {
    const { network, ask } = createTwo();
    const text = 'x'.repeat(1150);
    expect(await ask(text)).toBe(text);
    expect(Math.max(...network.packets.map((packet) => packet.bytes.length))).toBeLessThanOrEqual(MAX_PACKET);
  });
});

describe('datagram sessions over UDP', () => {
  it.each(['/ip4/127.0.0.1/udp/0', '/ip6/::1/udp/0'])(
    'ask and answer at %s, and pass foreign packets on',
    async (address) => {
      const [one, two] = [1, 2].map((seed) => identityFromSeed(new Uint8Array(32).fill(seed)));
      const foreign: string[] = [];
      await using a = await openUdpEndpoint({ identity: one!, address });
      await using b = await openUdpEndpoint({
        identity: two!,
        address,
        onRequest: ({ content, peer }) => (peer === one!.peerId ? content : undefined),
        onForeignDatagram: (packet, from) =>
          foreign.push(`${new TextDecoder().decode(packet)} ${from === a.address}`),
      });
      await a.sendForeign(bytes('STUN'), b.address);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => a.request(two!.peerId, b.address, bytes(`${i}`))),
      );
      expect(answers.map((answer) => new TextDecoder().decode(answer))).toEqual(
        Array.from({ length: 20 }, (_, i) => `${i}`),
      );
      expect([a.sessions, b.sessions, foreign]).toEqual([1, 1, ['STUN true']]);
    },
  );

  it('tell their owner of packets that the system does not take', async () => {
    const identity = identityFromSeed(new Uint8Array(32).fill(1));
    const events: DatagramEvent[] = [];
    await using a = await openUdpEndpoint({
      identity,
      address: '/ip4/127.0.0.1/udp/0',
      onEvent: (event) => events.push(event),
    });
    // From a loopback address nothing leaves the machine.
    const asked = a.request(identity.peerId, '/ip4/203.0.113.1/udp/9', bytes('x'), { timeout: 300 });
    await expect(asked).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
    expect(events).toContainEqual({
      type: 'send-failed',
      address: '/ip4/203.0.113.1/udp/9',
      error: expect.objectContaining({ syscall: 'send' }),
    });
  });

  it('refuse to bind what is bound or no UDP address', async () => {
    const identity = identityFromSeed(new Uint8Array(32).fill(1));
    await using a = await openUdpEndpoint({ identity, address: '/ip4/127.0.0.1/udp/0' });
    for (const address of [a.address, '/ip4/127.0.0.1/tcp/0', '/dns4/localhost/udp/0']) {
      await expect(openUdpEndpoint({ identity, address })).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
    }
  });
});
