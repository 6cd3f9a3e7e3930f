import { identityFromSeed } from '@nzcore/identity';
import { describe, expect, it } from 'vitest';
import { openUdpEndpoint } from '../src/udp.ts';
import { openUdpFaultProxy, type UdpDirection } from './udp-fault-proxy.ts';

/** As many as the server remembers of one session (NZ-DATAGRAM-01 §4). */
const LANES = 16;
const REQUESTS = 96;
const TIMEOUT = 4_000;

const [alice, bob] = [1, 2].map((seed) => identityFromSeed(new Uint8Array(32).fill(seed)));

/** Numbers from 0 to below 1, the same ones each time. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Weather {
  /** Of a hundred datagrams. */
  readonly lost: number;
  readonly repeated: number;
  /** Milliseconds at most, each datagram its own. */
  readonly late: number;
  readonly direction?: UdpDirection;
  /** Answers that must come through, of a hundred: far fewer than the four attempts of each bring, for the losses are random. */
  readonly least: number;
}

const WEATHERS: [string, Weather][] = [
  ['nothing but reordering', { lost: 0, repeated: 0, late: 120, least: 100 }],
  ['every datagram twice or three times, in any order', { lost: 0, repeated: 100, late: 60, least: 100 }],
  ['a third lost', { lost: 33, repeated: 0, late: 0, least: 60 }],
  ['half of the answers lost', { lost: 50, repeated: 0, late: 10, direction: 'to-client', least: 50 }],
  [
    'half of the requests lost, all repeated',
    { lost: 50, repeated: 100, late: 50, direction: 'to-server', least: 60 },
  ],
  ['loss, repetition and reordering', { lost: 20, repeated: 40, late: 150, least: 70 }],
  ['nothing comes through', { lost: 100, repeated: 0, late: 0, least: 0 }],
];

describe.concurrent('datagram sessions over a real network that is bad', () => {
  it.each(WEATHERS)(
    '%s: each request ends in time, with its own answer or an error, and none is worked on twice',
    async (_, { lost, repeated, late, direction, least }) => {
      const handled: string[] = [];
      await using server = await openUdpEndpoint({
        identity: bob!,
        address: '/ip4/127.0.0.1/udp/0',
        onRequest: ({ content }) => {
          handled.push(new TextDecoder().decode(content));
          return content;
        },
      });
      await using proxy = await openUdpFaultProxy(server.address);
      await using client = await openUdpEndpoint({ identity: alice!, address: '/ip4/127.0.0.1/udp/0' });
      const random = createRandom(7);
      proxy.fate = (way) => {
        if (direction !== undefined && way !== direction) return [0];
        const copies =
          random() * 100 < lost ? 0 : random() * 100 < repeated ? 2 + Math.floor(random() * 2) : 1;
        return Array.from({ length: copies }, () => random() * late);
      };
      const answered: string[] = [];
      let next = 0;
      const lane = async (): Promise<void> => {
        for (let number = next++; number < REQUESTS; number = next++) {
          const started = performance.now();
          const content = new TextEncoder().encode(`${number}`);
          try {
            const answer = await client.request(bob!.peerId, proxy.address, content, { timeout: TIMEOUT });
            expect(new TextDecoder().decode(answer)).toBe(`${number}`);
            answered.push(`${number}`);
          } catch (error) {
            expect(error).toMatchObject({ name: 'TransportError', code: 'REQUEST_TIMEOUT' });
            // Without a single answer there is no need to wait for all of them in turn.
            if (least === 0) next = REQUESTS;
          }
          // The wheel's granularity, and other work of the machine.
          expect(performance.now() - started).toBeLessThan(TIMEOUT + 1_500);
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      expect(new Set(handled).size).toBe(handled.length);
      expect(new Set(answered).size).toBe(answered.length);
      expect(answered.filter((number) => !handled.includes(number))).toEqual([]);
      expect((answered.length / REQUESTS) * 100).toBeGreaterThanOrEqual(least);
      const { counts } = proxy;
      expect([counts.lost > 0, counts.repeated > 0, counts.overtaken > 0]).toEqual([
        lost > 0,
        repeated > 0,
        late > 0,
      ]);
    },
    60_000,
  );

  it('goes on when the network comes back, on the session that it had', async () => {
    let handled = 0;
    await using server = await openUdpEndpoint({
      identity: bob!,
      address: '/ip4/127.0.0.1/udp/0',
      onRequest: ({ content }) => {
        handled++;
        return content;
      },
    });
    await using proxy = await openUdpFaultProxy(server.address);
    await using client = await openUdpEndpoint({ identity: alice!, address: '/ip4/127.0.0.1/udp/0' });
    const ask = (timeout: number) =>
      client.request(bob!.peerId, proxy.address, new Uint8Array(3), { timeout });
    await ask(5_000);
    proxy.fate = () => [];
    await expect(ask(300)).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
    const patient = ask(10_000);
    await new Promise((resolve) => setTimeout(resolve, 500));
    proxy.fate = () => [0];
    expect(await patient).toHaveLength(3);
    expect([handled, client.sessions, server.sessions]).toEqual([2, 1, 1]);
  }, 20_000);
});
