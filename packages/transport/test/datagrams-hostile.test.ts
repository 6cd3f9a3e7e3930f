import { createDatagramChannel } from '@nzcore/crypto/channel';
import { createHandshake } from '@nzcore/crypto/handshake';
import { identityFromSeed } from '@nzcore/identity';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../src/testing.ts';
import {
  decodeExchange,
  decodePacket,
  encodeData,
  encodeExchange,
  encodeHello,
} from '../src/udp/datagram-packet.ts';
import { RequestLog } from '../src/udp/request-log.ts';
import { bytes, createDatagramNetwork, createTwo, type DatagramNode } from './datagram-network.ts';

describe('datagram sessions under attack', () => {
  it('send at most three times what came from an address that is not proven, whatever is replayed', async () => {
    const { clock, network, b } = createTwo();
    const key = b.identity.handshakeIdentity(clock.now()).staticKeyPair.publicKey;
    const c = network.node(3, { staticKeyOf: () => key });
    const asked = c.endpoint.request(b.identity.peerId, b.address, bytes('x'.repeat(600)), {
      isRepeatable: true,
    });
    await clock.advance(100);
    await asked;
    const hello = network.packets.find((packet) => packet.from === c.address)!.bytes;
    const victim = '/ip4/198.51.100.1/udp/53';
    let received = 0;
    for (let i = 0; i < 200; i++) {
      network.inject(victim, b.address, hello);
      received += hello.length;
      await clock.advance(100);
    }
    const sent = network.packets
      .filter((packet) => packet.to === victim)
      .reduce((sum, one) => sum + one.bytes.length, 0);
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThanOrEqual(3 * received);
    // One session for the recording, whose request ran once more and no oftener.
    expect(b.ran.length).toBe(2);
    await clock.advance(60_000);
    const later = network.packets
      .filter((packet) => packet.to === victim)
      .reduce((sum, one) => sum + one.bytes.length, 0);
    expect(later).toBeLessThanOrEqual(3 * received);
  });

  it('bound handshakes of one host and in all, and the sessions that they leave', async () => {
    const clock = createFakeClock();
    const network = createDatagramNetwork(clock);
    const b = network.node(2, { limits: { maxSessions: 3, handshakesPerHost: 1, handshakesInAll: 5 } });
    const askers = Array.from({ length: 6 }, (_, i) => network.node(10 + i, { host: '192.0.2.99' }));
    // One after another from one host: four in a burst, the others wait.
    for (const asker of askers) {
      asker.endpoint.request(b.identity.peerId, b.address, bytes('x'), { timeout: 400 }).catch(() => {});
      await clock.advance(10);
    }
    const rates = b.events.filter(
      (event) => event.type === 'datagram-dropped' && event.reason === 'rate',
    ).length;
    expect(rates).toBe(2);
    for (let i = 0; i < 5; i++) {
      const other = network.node(30 + i);
      const asked = other.endpoint.request(b.identity.peerId, b.address, bytes('x'));
      await clock.advance(1_000);
      await asked;
    }
    expect(b.endpoint.sessions).toBe(3);
  });

  it('answer hellos that come at once one after another, so that other sockets have their turns, and no more than 100', async () => {
    const { clock, network, a, b } = createTwo();
    network.fate = () => [];
    a.endpoint.request(b.identity.peerId, b.address, bytes('x')).catch(() => {});
    const hello = network.packets[0]!.bytes;
    const answers = (): number => network.packets.filter(({ from }) => from === b.address).length;
    const from = (i: number): string => `/ip4/198.51.${i >> 8}.${i & 255}/udp/9`;
    for (let i = 0; i < 110; i++) network.inject(from(i), b.address, hello);
    expect(answers()).toBe(1);
    const rates = b.events.filter((event) => event.type === 'datagram-dropped' && event.reason === 'rate');
    expect(rates).toHaveLength(9);
    await clock.advance(10);
    expect(answers()).toBe(11);
    await clock.advance(200);
    expect(answers()).toBe(101);
    await b.endpoint[Symbol.asyncDispose]();
    await a.endpoint[Symbol.asyncDispose]();
    expect(clock.pending).toBe(0);
  });

  it('repeat an answer as often as an honest asker wants it, and a flood of one hello costs no more than that', async () => {
    const { clock, network, a, b } = createTwo();
    network.fate = () => [];
    a.endpoint.request(b.identity.peerId, b.address, bytes('x')).catch(() => {});
    const hello = network.packets[0]!.bytes;
    const answers = (): number => network.packets.filter(({ from }) => from === b.address).length;
    const flood = (): void => {
      for (let i = 0; i < 500; i++) network.inject(a.address, b.address, hello);
    };
    flood();
    // The burst, and a second's worth: it may have been used over a long time.
    const most = 1 + 16 + 4;
    expect(answers()).toBe(most);
    flood();
    await clock.advance(1_000);
    flood();
    expect(answers()).toBe(most + 4);
    await b.endpoint[Symbol.asyncDispose]();
    await a.endpoint[Symbol.asyncDispose]();
  });

  it('hold recordings to their own share of the sessions', async () => {
    const clock = createFakeClock();
    const network = createDatagramNetwork(clock);
    const b = network.node(2, { limits: { maxPendingHandshakes: 2, handshakesInAll: 1_000 } });
    const key = b.identity.handshakeIdentity(clock.now()).staticKeyPair.publicKey;
    const honest = network.node(1);
    const asked = honest.endpoint.request(b.identity.peerId, b.address, bytes('x'));
    await clock.advance(100);
    await asked;
    for (let i = 0; i < 20; i++) {
      const other = network.node(30 + i, { staticKeyOf: () => key });
      const early = other.endpoint.request(b.identity.peerId, b.address, bytes('x'), { isRepeatable: true });
      await clock.advance(100);
      await early;
    }
    expect(b.endpoint.sessions).toBe(3);
    const again = honest.endpoint.request(b.identity.peerId, b.address, bytes('again'));
    await clock.advance(100);
    expect(new TextDecoder().decode(await again)).toBe('again');
  });

  it('hold one host to its share of the sessions, whose longest unused gives way', async () => {
    const clock = createFakeClock();
    const network = createDatagramNetwork(clock);
    const b = network.node(2, {
      limits: { maxSessionsPerHost: 3, handshakesPerHost: 100, handshakesInAll: 1_000 },
    });
    const ask = async (node: DatagramNode, text: string): Promise<string> => {
      const asked = node.endpoint.request(b.identity.peerId, b.address, bytes(text), { timeout: 1_000 });
      asked.catch(() => {});
      await clock.advance(1_100);
      return asked.then((answer) => new TextDecoder().decode(answer));
    };
    const elsewhere = network.node(1);
    expect(await ask(elsewhere, 'first')).toBe('first');
    // The same IPv6 /64 is one host, whatever its addresses.
    const crowd = Array.from({ length: 8 }, (_, i) =>
      network.node(40 + i, { address: `/ip6/2001:db8::${i + 1}/udp/4001` }),
    );
    for (const [i, one] of crowd.entries()) expect(await ask(one, `${i}`)).toBe(`${i}`);
    expect(b.endpoint.sessions).toBe(1 + 3);
    const handshakes = network.packets.filter((packet) => packet.bytes[0] === 0x5a).length;
    expect(await ask(elsewhere, 'second')).toBe('second');
    expect(await ask(crowd.at(-1)!, 'again')).toBe('again');
    expect(network.packets.filter((packet) => packet.bytes[0] === 0x5a).length).toBe(handshakes);
  });

  it('do not let recordings from its address push out a peer that has proven itself', async () => {
    const clock = createFakeClock();
    const network = createDatagramNetwork(clock);
    const b = network.node(2, { limits: { maxSessionsPerHost: 3, handshakesPerHost: 1_000 } });
    const key = b.identity.handshakeIdentity(clock.now()).staticKeyPair.publicKey;
    const honest = network.node(1);
    const asked = honest.endpoint.request(b.identity.peerId, b.address, bytes('x'));
    await clock.advance(100);
    await asked;
    for (let i = 0; i < 10; i++) {
      const other = network.node(30 + i, { staticKeyOf: () => key });
      other.endpoint
        .request(b.identity.peerId, b.address, bytes('x'), { isRepeatable: true })
        .catch(() => {});
      const hello = network.packets.findLast((packet) => packet.from === other.address)!.bytes;
      // Replayed with the honest peer's address as its source.
      network.inject('/ip4/192.0.2.1/udp/9', b.address, hello);
      await clock.advance(100);
    }
    const before = network.packets.length;
    const again = honest.endpoint.request(b.identity.peerId, b.address, bytes('again'));
    await clock.advance(100);
    expect(new TextDecoder().decode(await again)).toBe('again');
    expect(network.packets.slice(before).some((packet) => packet.bytes[0] === 0x5a)).toBe(false);
  });

  it.each([
    ['the answer', 0x5a],
    ['the last message', 0x5b],
  ])('live through forged handshake messages of who sees the packets, sent before %s', async (_, after) => {
    const { clock, network, ask, a, b } = createTwo();
    const forger = identityFromSeed(new Uint8Array(32).fill(77));
    network.onSend = (packet) => {
      if (packet.bytes[0] !== after || packet.bytes.length < 20) return;
      // Addressed to who waits, from the right address, in the right form.
      const isHello = after === 0x5a;
      const [to, from] = isHello ? [a.address, b.address] : [packet.to, packet.from];
      const name = packet.bytes.slice(1, 9);
      const noise = new Uint8Array(400).fill(7);
      noise.set([0x5b, ...name, ...new Uint8Array(8).fill(3), 1, 1, 1, 0]);
      network.inject(from, to, noise);
      if (!isHello) return;
      // And somebody else's own, authentic answer.
      const handshake = createHandshake({
        role: 'responder',
        identity: forger.handshakeIdentity(clock.now()),
      });
      const { reply } = handshake.receive(packet.bytes.slice(11, 11 + packet.bytes[10]!), clock.now());
      network.inject(from, to, Uint8Array.of(0x5b, ...name, ...new Uint8Array(8).fill(4), ...reply!));
    };
    expect(await ask('hello', {}, 200)).toBe('hello');
    expect(b.ran).toEqual(['hello']);
  });

  it('try only a few handshake messages a second of a flood of them', async () => {
    const { clock, network, a, b } = createTwo();
    network.fate = () => [];
    a.endpoint.request(b.identity.peerId, b.address, bytes('x'), { timeout: 2_000 }).catch(() => {});
    const hello = network.packets[0]!.bytes;
    const noise = new Uint8Array(400).fill(7);
    noise.set([0x5b, ...hello.slice(1, 9), ...new Uint8Array(8), 1, 1, 1, 0]);
    for (let i = 0; i < 5_000; i++) network.inject(b.address, a.address, noise);
    await clock.advance(1_000);
    const tried = a.events.filter((event) => event.type === 'datagram-dropped').length;
    expect(tried).toBeGreaterThan(0);
    expect(tried).toBeLessThanOrEqual(24);
  });

  it('repeat a refusal that was lost', async () => {
    const { clock, network, a } = createTwo();
    let runs = 0;
    const c = network.node(3, {
      onRequest: () => {
        runs++;
        return undefined;
      },
    });
    let lost = 0;
    // The first packet of the responder's that is no handshake is the refusal.
    network.fate = (packet) =>
      packet.from === c.address && packet.bytes[0] === 0x5c && lost++ === 0 ? [] : [5];
    const asked = a.endpoint
      .request(c.identity.peerId, c.address, bytes('x'))
      .catch((error: { code: string }) => error.code);
    await clock.advance(6_000);
    expect(await asked).toBe('REQUEST_FAILED');
    expect([lost > 1, runs]).toEqual([true, 1]);
  });

  it('answer the first number of a client that uses it behind a hello that came twice (NZ-DATAGRAM-01 §4.1)', async () => {
    const { clock, network, b } = createTwo();
    const now = clock.now();
    const handshake = createHandshake({
      role: 'initiator',
      isOverDatagrams: true,
      identity: identityFromSeed(new Uint8Array(32).fill(9)).handshakeIdentity(now),
      remoteStaticKey: b.identity.handshakeIdentity(now).staticKeyPair.publicKey,
    });
    const address = '/ip4/192.0.2.9/udp/4001';
    const hello = encodeHello('0011223344556677', handshake.start(now))!;
    network.inject(address, b.address, hello);
    network.inject(address, b.address, hello);
    const answer = decodePacket(network.packets[0]!.bytes);
    if (answer?.type !== 'handshake') throw new Error('no answer');
    const channel = createDatagramChannel(handshake.receive(answer.message, now).result!, { now });
    const request = encodeExchange({ type: 'request', number: 1, content: bytes('first') });
    network.inject(address, b.address, encodeData(answer.sender, channel.seal(request)));
    await clock.advance(100);
    expect(b.ran).toEqual(['first']);
    const last = decodePacket(network.packets.at(-1)!.bytes);
    if (last?.type !== 'data') throw new Error('no response');
    expect(decodeExchange(channel.open(last.datagram)!)).toMatchObject({ type: 'response', number: 1 });
  });

  it('fail a request whose handshake cannot be made again, and nothing else', async () => {
    const { clock, network, b } = createTwo();
    const identity = identityFromSeed(new Uint8Array(32).fill(8));
    const c = network.node(8, { identity });
    network.fate = () => [];
    const asked = c.endpoint
      .request(b.identity.peerId, b.address, bytes('x'), { timeout: 20_000 })
      .catch((error: { code: string }) => error.code);
    await clock.advance(1_000);
    identity[Symbol.dispose]();
    await clock.advance(10_000);
    expect(await Promise.race([asked, 'still waiting'])).toBe('DISPOSED');
    await expect(c.endpoint.request(b.identity.peerId, b.address, bytes('x'))).rejects.toMatchObject({
      code: 'DISPOSED',
    });
    const before = network.packets.length;
    await clock.advance(60_000);
    expect(network.packets.length).toBe(before);
  });

  it('bound the requests of one session', async () => {
    const clock = createFakeClock();
    const network = createDatagramNetwork(clock);
    const a = network.node(1);
    const b = network.node(2, { limits: { requestsPerSession: 5 } });
    const asks = Array.from({ length: 60 }, () =>
      a.endpoint.request(b.identity.peerId, b.address, bytes('x'), { timeout: 400 }).catch(() => {}),
    );
    await clock.advance(450);
    await Promise.all(asks);
    expect(b.ran.length).toBeLessThanOrEqual(15);
  });

  it('live through any packet, and keep every session', async () => {
    const { clock, network, a, b, ask } = createTwo();
    await ask('before');
    const recorded = network.packets.map((packet) => packet.bytes);
    fc.assert(
      fc.property(
        fc.nat(recorded.length - 1),
        fc.nat(1_199),
        fc.nat(255),
        fc.nat(1_300),
        (which, at, value, length) => {
          const mutated = recorded[which]!.slice(0, length);
          if (at < mutated.length) mutated[at] = value;
          network.inject('/ip4/192.0.2.1/udp/4001', b.address, mutated);
          network.inject('/ip4/203.0.113.9/udp/9', b.address, mutated);
          network.inject(b.address, a.address, mutated);
        },
      ),
      { numRuns: 3_000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_300 }), (random) => {
        network.inject('/ip4/203.0.113.9/udp/9', b.address, random);
        const packet = decodePacket(random);
        expect(packet === undefined || typeof packet.type === 'string').toBe(true);
        decodeExchange(random);
      }),
    );
    await clock.advance(1_000);
    expect(await ask('after')).toBe('after');
    expect(encodeHello('0011223344556677', new Uint8Array(1_190))).toBeUndefined();
  });

  it('run a number once, however late and often it is repeated', () => {
    const log = new RequestLog();
    for (let number = 1; number <= 200; number++) {
      expect(log.begin(number)).toBe('new');
      expect(log.begin(number)).toBe('known');
      log.finish(number, Uint8Array.of(number));
      expect(log.begin(number)).toEqual({ response: Uint8Array.of(number) });
    }
    // What is kept is bounded by its bytes: 26 answers of a byte.
    for (let number = 1; number <= 174; number++) expect(log.begin(number)).toBe('known');
    expect(log.begin(175)).toEqual({ response: Uint8Array.of(175) });
  });

  it('run each number at most once and none of the last 1,024 less often, in whatever order they come', () => {
    const steps = fc.array(
      fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 2 ** 32 - 1 })),
    );
    fc.assert(
      fc.property(steps, (numbers) => {
        const log = new RequestLog();
        const seen = new Set<number>();
        let highest = 0;
        for (const number of numbers) {
          highest = Math.max(highest, number);
          const isNew = !seen.has(number) && number > highest - 1024;
          expect(log.begin(number)).toBe(isNew ? 'new' : 'known');
          seen.add(number);
        }
      }),
    );
  });
});
