import { afterEach, describe, expect, it, vi } from 'vitest';
import { addNetworkTag } from '../../src/handshake/network-key.ts';
import { Tickets } from '../../src/handshake/ticket-cache.ts';
import {
  createHandshake,
  createTicketCache,
  type HandshakeOptions,
  type HandshakeResult,
  TICKET_LIFETIME,
  type TicketCache,
} from '../../src/handshake.ts';
import type { SecretBytes } from '../../src/index.ts';
import { alice, bob, carol, createIdentity, NOW, primitives, shakeHands } from './peers.ts';

const refused = expect.objectContaining({ code: 'INVALID_MESSAGE' });
const networkKey = new Uint8Array(32).fill(7);
const caches: TicketCache[] = [];
afterEach(() => {
  for (const cache of caches.splice(0)) cache[Symbol.dispose]();
});

function createCache(options: Parameters<typeof createTicketCache>[0] = {}): TicketCache {
  const cache = createTicketCache(options);
  caches.push(cache);
  return cache;
}

/** Alice and Bob with a cache each; Alice always expects Bob. */
function createPair(common: Partial<HandshakeOptions> = {}) {
  const tickets = { alice: createCache(), bob: createCache() };
  const initiate = (options: Partial<HandshakeOptions> = {}) =>
    createHandshake({
      role: 'initiator',
      identity: alice,
      expectedIdentity: bob.publicKey,
      primitives,
      tickets: tickets.alice,
      ...common,
      ...options,
    });
  const respond = (options: Partial<HandshakeOptions> = {}) =>
    createHandshake({
      role: 'responder',
      identity: bob,
      primitives,
      tickets: tickets.bob,
      ...common,
      ...options,
    });
  const meet = (
    now = NOW,
    options: { a?: Partial<HandshakeOptions>; b?: Partial<HandshakeOptions> } = {},
  ) => {
    const [initiator, responder] = [initiate(options.a), respond(options.b)];
    const messages = [initiator.start(now)];
    const second = responder.receive(messages[0]!, now);
    messages.push(second.reply!);
    const third = initiator.receive(second.reply!, now);
    if (third.reply) messages.push(third.reply);
    const theirs = second.result ?? responder.receive(third.reply!, now).result!;
    return { ours: third.result!, theirs, messages };
  };
  const keep = ({ ours, theirs }: { ours: HandshakeResult; theirs: HandshakeResult }) => {
    ours.resumption?.keep();
    theirs.resumption?.keep();
  };
  return { tickets, initiate, respond, meet, keep };
}

/** The pair after a first handshake whose tickets both sides have kept. */
function createKnownPair(common: Partial<HandshakeOptions> = {}) {
  const pair = createPair(common);
  pair.keep(pair.meet());
  return pair;
}

describe('a resumed handshake (NZ-HANDSHAKE-01 §5.7)', () => {
  it.each([undefined, networkKey])('takes two messages and one key agreement a side', (key) => {
    let agreements = 0;
    const sharedSecret = (...keys: [Uint8Array, Uint8Array]) => {
      agreements += 1;
      return primitives.x25519.sharedSecret(...keys);
    };
    const counted = { ...primitives, x25519: { ...primitives.x25519, sharedSecret } };
    const { meet } = createKnownPair({ ...(key && { networkKey: key }), primitives: counted });
    agreements = 0;
    const { ours, theirs, messages } = meet();
    expect([ours.pattern, theirs.pattern, messages.length, agreements]).toEqual(['NNpsk0', 'NNpsk0', 2, 2]);
    expect(ours.handshakeHash).toEqual(theirs.handshakeHash);
    expect(ours.secrets.take('stream')).toEqual(theirs.secrets.take('stream'));
    expect(ours.remote).toMatchObject({ identity: bob.publicKey, staticKey: bob.staticKeyPair.publicKey });
    expect(theirs.remote).toMatchObject({
      identity: alice.publicKey,
      staticKey: alice.staticKeyPair.publicKey,
    });
    expect(theirs.remote.staticKeyExpiresAt).toBe(alice.certificate.expiresAt);
    expect(ours.features).toEqual(['resume']);
  });

  it.each([
    ['XX', {}],
    ['IK', { remoteStaticKey: bob.staticKeyPair.publicKey }],
    ['XXfallback', { remoteStaticKey: carol.staticKeyPair.publicKey }],
    ['NNpsk0', undefined],
  ])('follows %s, and another one follows it', (pattern, options) => {
    const { meet, keep } = options ? createPair() : createKnownPair();
    const before = meet(NOW, { a: options ?? {} });
    expect(before.ours.pattern).toBe(pattern);
    keep(before);
    for (let again = 0; again < 3; again++) {
      const next = meet();
      expect(next.ours.pattern).toBe('NNpsk0');
      keep(next);
    }
  });

  it('goes in both directions, at the same time', () => {
    const { tickets, meet } = createKnownPair();
    const back = { identity: bob, tickets: tickets.bob, expectedIdentity: alice.publicKey };
    const bobDials = shakeHands.bind(undefined, {
      initiator: back,
      responder: { identity: alice, tickets: tickets.alice },
    });
    expect(meet().ours.pattern).toBe('NNpsk0');
    expect(bobDials().initiator.pattern).toBe('NNpsk0');
    expect(bobDials().initiator.pattern).toBe('XX');
  });

  it('negotiates anew (§7)', () => {
    const { meet } = createKnownPair();
    const { ours, theirs } = meet(NOW, {
      a: { features: ['x', 'y'], recordCiphers: ['chacha20poly1305'], maxRecordSize: 9_000 },
      b: { features: ['y'] },
    });
    const agreed = { features: ['y', 'resume'], recordCipher: 'chacha20poly1305', maxRecordSize: 9_000 };
    expect(ours).toMatchObject({ ...agreed, pattern: 'NNpsk0' });
    expect(theirs).toMatchObject(agreed);
    const noVersion = expect.objectContaining({ code: 'NO_COMMON_VERSION' });
    expect(() => createKnownPair().meet(NOW, { a: { versions: { min: 7, max: 7 } } })).toThrow(noVersion);
  });

  it('delivers early data once, as what may be a copy (§8)', () => {
    const earlyData = new TextEncoder().encode('hello');
    const { initiate, respond } = createKnownPair();
    const first = initiate({ earlyData }).start(NOW);
    const { result } = respond().receive(first, NOW);
    expect(result).toMatchObject({ pattern: 'NNpsk0', earlyData, isReplayable: true });
  });

  it('is a feature of its own, and says so to who names it, or one too many (§6.1)', () => {
    const { initiate } = createPair();
    const many = (length: number) => Array.from({ length }, (_, i) => `feature-${i}`);
    expect(() => initiate({ features: ['resume'] })).toThrow(/"resume" is offered for you/);
    expect(() => initiate({ features: ['resume'], tickets: undefined as never })).toThrow(RangeError);
    expect(() => initiate({ features: many(32) })).toThrow(/at most 31 .* the last of 32 is "resume"/);
    expect(() => initiate({ features: many(33), tickets: undefined as never })).toThrow(/at most 32 /);
    for (const features of [['a', 'a'], [''], ['a b'], ['x'.repeat(65)]])
      expect(() => initiate({ features })).toThrow(RangeError);
    for (const options of [{ features: many(31) }, { features: many(32), tickets: undefined as never }])
      expect(initiate(options).start(NOW)).toHaveLength(36);
  });

  it('is a feature: without it on one side nothing is kept (§7)', () => {
    for (const options of [{ a: { tickets: undefined } }, { b: { tickets: undefined } }]) {
      const { meet, tickets } = createPair();
      const given = Object.entries(options).map(([side]) => side);
      const strip = (side: string) => (given.includes(side) ? { tickets: undefined as never } : {});
      const { ours, theirs } = meet(NOW, { a: strip('a'), b: strip('b') });
      expect([ours.resumption, theirs.resumption]).toEqual([undefined, undefined]);
      expect([tickets.alice.size, tickets.bob.size]).toEqual([0, 0]);
    }
  });
});

describe('a ticket (NZ-HANDSHAKE-01 §5.7)', () => {
  it('is used once on both sides', () => {
    const { meet, tickets } = createKnownPair();
    expect([tickets.alice.size, tickets.bob.size]).toEqual([2, 2]);
    expect(meet().ours.pattern).toBe('NNpsk0');
    expect([tickets.alice.size, tickets.bob.size]).toEqual([1, 1]);
    expect(meet().ours.pattern).toBe('XX');
  });

  it('refuses a replayed first message its early data, and answers by a fallback nobody can finish (§5.7.5)', () => {
    const { initiate, respond } = createKnownPair();
    const initiator = initiate({ earlyData: Uint8Array.of(1) });
    const first = initiator.start(NOW);
    const { reply } = respond().receive(first, NOW);
    const replayed = respond().receive(first, NOW);
    expect(replayed.result).toBeUndefined();
    expect(replayed.reply![1]).toBe(3);
    expect(initiator.receive(reply!, NOW).result!.pattern).toBe('NNpsk0');
  });

  it('survives whoever has only seen its id, and serves its owner afterwards (§5.7.5)', () => {
    const { initiate, respond } = createKnownPair();
    const initiator = initiate();
    const first = initiator.start(NOW);
    const forged = first.slice();
    forged.fill(9, 20);
    expect(respond().receive(forged, NOW).result).toBeUndefined();
    const { reply } = respond().receive(first, NOW);
    expect(initiator.receive(reply!, NOW).result!.pattern).toBe('NNpsk0');
  });

  it('lets its owner through by a fallback when a copy was faster (§5.7.5)', () => {
    const { initiate, respond } = createKnownPair();
    const earlyData = Uint8Array.of(1);
    const initiator = initiate({ earlyData });
    const first = initiator.start(NOW);
    respond().receive(first, NOW);
    const responder = respond();
    const { reply } = initiator.receive(responder.receive(first, NOW).reply!, NOW);
    expect(responder.receive(reply!, NOW).result).toMatchObject({ pattern: 'XXfallback', earlyData });
  });

  it('falls back when the responder does not know it, at the cost of one message (§5.7.4)', () => {
    const { meet, keep } = createKnownPair();
    const others = createCache();
    const fallen = meet(NOW, { b: { tickets: others } });
    expect([fallen.ours.pattern, fallen.messages.length]).toEqual(['XXfallback', 3]);
    keep(fallen);
    expect(meet(NOW, { b: { tickets: others } }).ours.pattern).toBe('NNpsk0');
  });

  it('falls back at a responder that keeps no tickets (§5.7.4)', () => {
    expect(createKnownPair().meet(NOW, { b: { tickets: undefined as never } }).ours.pattern).toBe(
      'XXfallback',
    );
  });

  it.each([undefined, networkKey])('breaks at any changed byte of both messages (§5)', (key) => {
    const { initiate, respond, meet, keep } = createPair(key && { networkKey: key });
    const lengths = () => meet().messages.map(({ length }) => length);
    keep(meet());
    const [first, second] = lengths();
    for (const [which, length] of [first!, second!].entries()) {
      for (let at = 0; at < length; at++) {
        keep(meet());
        const [initiator, responder] = [initiate(), respond()];
        const change = (message: Uint8Array, index: number) => {
          if (index === which) message[at]! ^= 0x40;
          return message;
        };
        expect(() => {
          const { reply } = responder.receive(change(initiator.start(NOW), 0), NOW);
          initiator.receive(change(reply!, 1), NOW);
        }).toThrow(refused);
      }
    }
  });

  it('does not open under the id of another session (§5.7)', () => {
    const { initiate, respond, keep, meet } = createKnownPair();
    keep(meet(NOW, { a: { tickets: createCache() } }));
    const [one, two] = [initiate().start(NOW), initiate().start(NOW)];
    const crossed = one.slice();
    crossed.set(two.subarray(4, 20), 4);
    expect(respond().receive(crossed, NOW).result).toBeUndefined();
  });

  it('is of no use to whom it was sent by: reflected messages fall back (§5.7)', () => {
    const { initiate, tickets } = createKnownPair();
    const first = initiate().start(NOW);
    const mirror = createHandshake({
      role: 'responder',
      identity: alice,
      primitives,
      tickets: tickets.alice,
    });
    expect(mirror.receive(first, NOW).result).toBeUndefined();
    const reflected = initiate();
    expect(() => reflected.receive(reflected.start(NOW), NOW)).toThrow(refused);
  });

  it('expires after an hour, however often it was renewed by resuming (§9.1)', () => {
    const { meet, keep } = createKnownPair();
    const late = NOW + TICKET_LIFETIME - 1;
    const resumed = meet(late);
    expect(resumed.ours.pattern).toBe('NNpsk0');
    keep(resumed);
    expect(meet(late + 1).ours.pattern).toBe('XX');
  });

  it('is not taken by a responder for whom it has expired (§9.1)', () => {
    const { initiate, respond } = createKnownPair();
    const first = initiate().start(NOW + TICKET_LIFETIME - 1);
    expect(respond().receive(first, NOW + TICKET_LIFETIME).result).toBeUndefined();
  });

  it('is not used when the clock was set back before the handshake it comes from (§9.1)', () => {
    expect(createKnownPair().meet(NOW - 1).ours.pattern).toBe('XX');
  });

  it('expires with either certificate (§5.7.2)', () => {
    const expiresAt = NOW + 1_000;
    for (const options of [
      { a: { identity: createIdentity(1, { expiresAt }) } },
      { b: { identity: createIdentity(2, { expiresAt }) } },
    ]) {
      const pair = createPair();
      pair.keep(pair.meet(NOW, options));
      pair.keep(pair.meet(NOW, options));
      const last = pair.meet(expiresAt - 1);
      expect(last.ours.pattern).toBe('NNpsk0');
      pair.keep(last);
      expect(pair.meet(expiresAt).ours.pattern).toBe('XX');
    }
  });

  it('is bound to the identities of both sides (§5.7.3)', () => {
    const { meet, initiate, respond } = createKnownPair();
    expect(initiate({ identity: carol }).start(NOW)[1]).toBe(1);
    expect(initiate({ expectedIdentity: carol.publicKey }).start(NOW)[1]).toBe(1);
    const first = initiate().start(NOW);
    expect(respond({ identity: carol }).receive(first, NOW).result).toBeUndefined();
    const mismatch = expect.objectContaining({ code: 'IDENTITY_MISMATCH' });
    const again = createKnownPair();
    expect(() => again.meet(NOW, { b: { expectedIdentity: carol.publicKey } })).toThrow(mismatch);
    expect(meet().ours.pattern).toBe('XX');
  });

  it('is bound to the network (§5.7.1)', () => {
    const { initiate, respond } = createKnownPair({ networkKey });
    const first = initiate().start(NOW);
    expect(() => respond({ networkKey: new Uint8Array(32) }).receive(first, NOW)).toThrow(refused);
    expect(() => respond({ networkKey: undefined as never }).receive(first, NOW)).toThrow(refused);
    const untagged = initiate({ networkKey: undefined as never }).start(NOW);
    expect(respond().receive(first, NOW).result?.pattern).toBe('NNpsk0');
    expect(() => respond().receive(untagged, NOW)).toThrow(refused);
    const other = createKnownPair();
    const outside = other.initiate().start(NOW);
    outside[3] = 1;
    expect(() => other.respond({ networkKey }).receive(outside, NOW)).toThrow(refused);
  });

  it('of a network without a key opens nothing in one that has one (§5.7.1)', () => {
    const { initiate, respond, tickets } = createKnownPair();
    const first = initiate().start(NOW);
    const tagged = addNetworkTag(Uint8Array.of(1, 4, 1, 1, ...first.subarray(4)), networkKey, primitives);
    expect(respond({ networkKey }).receive(tagged, NOW).result).toBeUndefined();
    expect(tickets.bob.size).toBe(2);
  });

  it('comes back when the message was prepared and never sent', () => {
    const { initiate, tickets } = createKnownPair();
    const prepared = initiate();
    prepared.prepare(NOW);
    expect(tickets.alice.size).toBe(1);
    prepared[Symbol.dispose]();
    expect(tickets.alice.size).toBe(2);
    const sent = initiate();
    sent.start(NOW);
    sent[Symbol.dispose]();
    expect(tickets.alice.size).toBe(1);
  });

  it('comes back when no message could be made', () => {
    const { initiate, tickets } = createKnownPair();
    const generateKeyPair = () => {
      throw new Error('no entropy');
    };
    const failing = { ...primitives, x25519: { ...primitives.x25519, generateKeyPair } };
    expect(() => initiate({ primitives: failing }).prepare(NOW)).toThrow('no entropy');
    expect(tickets.alice.size).toBe(2);
  });

  it('is the newest of several', () => {
    const { meet, keep } = createKnownPair();
    keep(meet(NOW + 1, { a: { expectedIdentity: undefined as never } }));
    expect(meet(NOW + TICKET_LIFETIME).ours.pattern).toBe('NNpsk0');
  });

  it('is not used when it has expired between preparing and sending (§5.7.2)', () => {
    const { initiate, tickets } = createKnownPair();
    const late = initiate();
    late.prepare(NOW);
    expect(late.start(NOW + TICKET_LIFETIME)[1]).toBe(1);
    tickets.alice.expire(NOW + TICKET_LIFETIME);
    expect(tickets.alice.size).toBe(0);
  });

  it('stands for the same peer whatever becomes of the results of handshakes', () => {
    const { meet, keep, tickets } = createKnownPair();
    const { ours, theirs } = meet();
    for (const { remote } of [ours, theirs]) {
      remote.identity.fill(0xee);
      remote.staticKey.fill(0xee);
    }
    ours.handshakeHash.fill(0xee);
    keep({ ours, theirs });
    expect(meet().theirs).toMatchObject({ pattern: 'NNpsk0', remote: { identity: alice.publicKey } });
    for (let again = 0; again < 2; again++) {
      const back = shakeHands({
        initiator: { identity: bob, tickets: tickets.bob, expectedIdentity: alice.publicKey },
        responder: { identity: alice, tickets: tickets.alice },
      });
      const remote = { identity: bob.publicKey, staticKey: bob.staticKeyPair.publicKey };
      expect(back.responder).toMatchObject({ pattern: 'NNpsk0', remote });
    }
  });

  it('does not travel in datagrams (§5.7)', () => {
    const { initiate, respond } = createKnownPair();
    expect(initiate({ isOverDatagrams: true }).start(NOW)[1]).toBe(1);
    const first = initiate().start(NOW);
    expect(() => respond({ isOverDatagrams: true }).receive(first, NOW)).toThrow(refused);
  });

  it('is refused when the message is shorter than any (§5.7)', () => {
    for (const length of [4, 19, 20, 51, 52, 67]) {
      const message = new Uint8Array(length).fill(9);
      message.set([1, 4, 1, 0]);
      expect(() => createKnownPair().respond().receive(message, NOW)).toThrow(refused);
    }
  });
});

describe('a ticket cache (NZ-HANDSHAKE-01 §9.1)', () => {
  it('keeps the newest few of a peer, and not more than its bounds', () => {
    const cache = createCache({ maxAccepting: 3, maxPerPeer: 2 });
    const meet = (byte: number) =>
      shakeHands({
        initiator: { identity: createIdentity(byte), tickets: createCache() },
        responder: { tickets: cache },
      }).responder.resumption!.keep();
    meet(30);
    for (let again = 0; again < 5; again++) meet(31);
    // Two to dial each of both with, as far as there were any, and those that were given.
    expect(cache.size).toBe(3 + 3);
    meet(32);
    expect(cache.size).toBe(4 + 3);
  });

  it('keeps room for peers that this side has dialled: others that come, however many, push out none of them', () => {
    const tickets = createCache({ maxDialling: 2, maxReturning: 3 });
    const dial = (byte: number) => {
      const identity = createIdentity(byte);
      return shakeHands({
        initiator: { tickets, expectedIdentity: identity.publicKey },
        responder: { identity, tickets: createCache() },
      });
    };
    const comes = (byte: number) =>
      shakeHands({
        initiator: { identity: createIdentity(byte), tickets: createCache() },
        responder: { identity: alice, tickets },
      }).responder.resumption!.keep();
    dial(20).initiator.resumption!.keep();
    for (let byte = 30; byte < 40; byte++) comes(byte);
    const has = (byte: number) => tickets.has(createIdentity(byte).publicKey);
    expect([20, 36, 37, 38, 39].map(has)).toEqual([true, false, true, true, true]);
    // Nor do those that it has dialled push out the others: only each other.
    for (let byte = 21; byte < 24; byte++) dial(byte).initiator.resumption!.keep();
    expect([20, 21, 22, 23, 37, 38, 39].map(has)).toEqual([false, false, true, true, true, true, true]);
  });

  it('lets no peer push out another one by coming often', () => {
    const { meet, keep, tickets } = createKnownPair();
    for (let again = 0; again < 10; again++) {
      keep(meet(NOW, { a: { identity: carol, tickets: createCache() } }));
    }
    expect(tickets.bob.size).toBe(2 + 8);
    expect(meet().ours.pattern).toBe('NNpsk0');
  });

  it('wipes what was made before the clock was set back', () => {
    const { tickets } = createKnownPair();
    tickets.alice.expire(NOW - 1);
    expect(tickets.alice.size).toBe(0);
  });

  it('is filled once by a handshake, and never by one that was disposed of', () => {
    const { meet, keep, tickets } = createPair();
    const met = meet();
    keep(met);
    keep(met);
    expect([tickets.alice.size, tickets.bob.size]).toEqual([2, 2]);
    const { resumption } = meet().ours;
    resumption![Symbol.dispose]();
    resumption!.keep();
    expect(tickets.alice.size).toBe(1);
  });

  it('leaves nothing of what tickets are made of, and of what is made of them', () => {
    const made: { info: string; ikm: Uint8Array; output: Uint8Array }[] = [];
    const hkdf: typeof primitives.hkdf = (hash, ikm, options) => {
      const output = primitives.hkdf(hash, ikm, options);
      made.push({ info: new TextDecoder().decode(options.info), ikm, output });
      return output;
    };
    const { meet, keep } = createPair({ networkKey, primitives: { ...primitives, hkdf } });
    keep(meet());
    meet();
    const [tickets, psks] = ['tickets', 'resumption-psk'].map((label) =>
      made.filter(({ info }) => info === `NZ-HANDSHAKE-01/${label}`),
    );
    expect([tickets!.length, psks!.length]).toEqual([2, 2]);
    const secrets = tickets!.flatMap(({ output }) => [output.subarray(16, 48), output.subarray(64)]);
    const all = [...tickets!, ...psks!].map(({ ikm }) => ikm);
    for (const bytes of [...secrets, ...all, ...psks!.map(({ output }) => output)])
      expect(bytes.every((byte) => byte === 0)).toBe(true);
  });

  it('wipes a secret when its ticket is used, pushed out, forgotten, expired, and in the end', () => {
    const secrets = (cache: TicketCache) => {
      const given: SecretBytes[] = [];
      const { add } = Tickets.prototype;
      vi.spyOn(cache as Tickets, 'add').mockImplementation((tickets) => {
        given.push(tickets.dialling.secret, tickets.accepting.secret);
        add.call(cache, tickets);
      });
      return () => given.map(({ isDisposed }) => isDisposed);
    };
    const { tickets, meet, keep, initiate } = createPair();
    const [ofAlice, ofBob] = [secrets(tickets.alice), secrets(tickets.bob)];
    keep(meet());
    meet();
    expect([ofAlice(), ofBob()]).toEqual([
      [true, false],
      [false, true],
    ]);
    for (let again = 0; again < 4; again++) keep(meet(NOW, { a: { remoteStaticKey: carol.publicKey } }));
    expect(ofBob().filter((isDisposed) => isDisposed)).toHaveLength(ofBob().length - tickets.bob.size);
    tickets.bob.forget(alice.publicKey);
    expect(ofBob().filter((_, i) => i % 2 === 0)).not.toContain(false);
    tickets.bob[Symbol.dispose]();
    expect(ofBob()).not.toContain(false);
    const prepared = initiate();
    prepared.prepare(NOW);
    tickets.alice.expire(NOW + TICKET_LIFETIME);
    expect(ofAlice().filter((isDisposed) => !isDisposed)).toHaveLength(1);
    tickets.alice[Symbol.dispose]();
    prepared[Symbol.dispose]();
    expect(ofAlice()).not.toContain(false);
  });

  it('wipes what has expired, what is forgotten and, in the end, everything', () => {
    const { tickets, meet, initiate } = createKnownPair();
    tickets.alice.expire(NOW + TICKET_LIFETIME - 1);
    expect(tickets.alice.size).toBe(2);
    tickets.alice.expire(NOW + TICKET_LIFETIME);
    expect(tickets.alice.size).toBe(0);
    // What Alice may dial with stays.
    tickets.bob.forget(alice.publicKey);
    expect([tickets.bob.has(alice.publicKey), tickets.bob.size]).toEqual([false, 1]);
    const { ours } = meet();
    const prepared = initiate();
    ours.resumption!.keep();
    prepared.prepare(NOW);
    tickets.alice[Symbol.dispose]();
    prepared[Symbol.dispose]();
    expect(tickets.alice.size).toBe(0);
    ours.resumption!.keep();
    meet().ours.resumption!.keep();
    expect(tickets.alice.size).toBe(0);
  });

  it('is not just anything that looks like one', () => {
    const tickets = {
      size: 0,
      has: () => false,
      expire: () => {},
      forget: () => {},
      [Symbol.dispose]: () => {},
    };
    expect(() => createPair().initiate({ tickets })).toThrow(TypeError);
  });
});
