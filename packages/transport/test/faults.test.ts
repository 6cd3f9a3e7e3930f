import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { serveRequests } from '../src/messages/request-server.ts';
import { createRequester } from '../src/messages/requester.ts';
import { createTcpTransport } from '../src/tcp.ts';
import { createWebSocketTransport } from '../src/ws.ts';
import { type Fault, openFaultProxy } from './fault-proxy.ts';
import { createSecurePeer, type SecurePeer, until } from './secure-peer.ts';

/** 1 tries every byte offset, which takes minutes: `FAULT_STRIDE=1 npx vitest run packages/transport/test/faults.test.ts`. */
const STRIDE = Number(process.env['FAULT_STRIDE'] ?? 41);
const MESSAGES = 3;
/** Over each transport that has sockets: they see an end, a reset and a repetition in different places. */
const TRANSPORTS = [
  ['tcp', ''],
  ['ws', '/ws'],
] as const;
const transports = [createTcpTransport(), createWebSocketTransport()];
const QUICK = {
  transports,
  dialTimeout: 2_000,
  handshakeTimeout: 2_000,
} as const;

interface Outcome {
  readonly acknowledged: number[];
  readonly received: number[];
}

/** Notes what arrives, and acknowledges it. */
function serveNumbers(peer: SecurePeer): number[] {
  const received: number[] = [];
  peer.manager.handle('/test/numbers', (stream) => {
    serveRequests(stream, (body) => {
      received.push(body[0]!);
      return body;
    });
  });
  return received;
}

/** Sends numbered messages one after another; every one is acknowledged or fails. */
async function sendNumbers(peer: SecurePeer, target: string): Promise<number[]> {
  const acknowledged: number[] = [];
  try {
    const connection = await peer.manager.connect(target);
    const stream = await connection.openStream('/test/numbers');
    await using requester = createRequester(stream);
    for (let number = 0; number < MESSAGES; number++) {
      const [answer] = await requester.request(Uint8Array.of(number), { timeout: 2_000 });
      acknowledged.push(answer!);
    }
  } catch (error) {
    expect(error).toHaveProperty('code');
  }
  return acknowledged;
}

function expectHonest({ acknowledged, received }: Outcome): void {
  // In order, none twice, none missing between others; and nothing was acknowledged that did not arrive.
  expect(received).toEqual([0, 1, 2].slice(0, received.length));
  expect(acknowledged).toEqual(received.slice(0, acknowledged.length));
  expect(received.length - acknowledged.length).toBeLessThanOrEqual(1);
}

const CASES = TRANSPORTS.flatMap(([transport, suffix]) =>
  (['XX', 'IK', 'NNpsk0'] as const).map((pattern) => ({ transport, suffix, pattern })),
);

describe.each(CASES)(
  'a connection that is cut, garbled or held up ($transport, $pattern)',
  ({ suffix, pattern }) => {
    it.each([
      ['to-server', 'end'],
      ['to-server', 'reset'],
      ['to-server', 'half'],
      ['to-server', 'duplicate'],
      ['to-server', 'late'],
      ['to-client', 'end'],
      ['to-client', 'reset'],
      ['to-client', 'half'],
      ['to-client', 'duplicate'],
      ['to-client', 'late'],
    ] as const)(
      '%s by %s at any offset delivers in order, once, and reports nothing that was lost',
      async (direction, kind) => {
        const options = { ...QUICK, secure: { isResuming: pattern === 'NNpsk0' } };
        await using b = createSecurePeer(2, options);
        const received = serveNumbers(b);
        const [bound] = await b.manager.listen(`/ip4/127.0.0.1/tcp/0${suffix}`);
        await using proxy = await openFaultProxy(bound!);
        await using a = createSecurePeer(1, options);
        const target = `${proxy.address}${suffix}/p2p/${b.identity.peerId}`;
        const attempt = async (fault: Fault | undefined): Promise<Outcome> => {
          proxy.fault = fault;
          received.length = 0;
          if (pattern === 'XX') a.manager.addressBook.forgetStaticKey(b.identity.peerId);
          const acknowledged = await sendNumbers(a, target);
          for (const connection of a.manager.connections()) connection.abort();
          await until(() => a.manager.connections().length === 0 && b.manager.connections().length === 0);
          return { acknowledged, received: [...received] };
        };
        await attempt(undefined);
        expect((await attempt(undefined)).acknowledged).toEqual([0, 1, 2]);
        const total = proxy.passed[direction];
        expect(total).toBeGreaterThan(200);
        for (let after = kind === 'duplicate' ? 1 : 0; after < total; after += STRIDE) {
          const outcome = await attempt({ direction, after, kind });
          expectHonest(outcome);
          // What is only late arrives.
          if (kind === 'late') expect(outcome.acknowledged).toEqual([0, 1, 2]);
        }
        expect((await attempt(undefined)).acknowledged).toEqual([0, 1, 2]);
      },
      3_600_000,
    );
  },
);

describe('a connection that falls silent', () => {
  it('fails every message that was not acknowledged, at any of these points', async () => {
    const impatient = { ...QUICK, dialTimeout: 500, keepAlive: { interval: 500, timeout: 500 } };
    const points = [0, 1, 40, 200, 420, 500, 700, 760];
    await Promise.all(
      points.map(async (after, i) => {
        await using b = createSecurePeer(100 + i, impatient);
        const received = serveNumbers(b);
        const [bound] = await b.manager.listen('/ip4/127.0.0.1/tcp/0');
        await using proxy = await openFaultProxy(bound!);
        proxy.fault = { direction: i % 2 === 0 ? 'to-server' : 'to-client', after, kind: 'stall' };
        await using a = createSecurePeer(50 + i, impatient);
        const acknowledged = await sendNumbers(a, `${proxy.address}/p2p/${b.identity.peerId}`);
        expectHonest({ acknowledged, received });
        if (acknowledged.length < MESSAGES) await until(() => a.manager.connections().length === 0);
      }),
    );
  }, 60_000);
});

describe.each(TRANSPORTS)('a connection whose bytes are late (%s)', (_, suffix) => {
  const patient = { transports, dialTimeout: 15_000, handshakeTimeout: 15_000 };

  it.each(['one at a time', 'each read by another time'])(
    'works: %s',
    async (how) => {
      await using b = createSecurePeer(2, patient);
      const received = serveNumbers(b);
      const [bound] = await b.manager.listen(`/ip4/127.0.0.1/tcp/0${suffix}`);
      await using proxy = await openFaultProxy(bound!);
      let turn = 0;
      if (how === 'one at a time') proxy.isDribbling = true;
      else proxy.delay = () => 5 + ((turn++ * 37) % 60);
      await using a = createSecurePeer(1, patient);
      expect(await sendNumbers(a, `${proxy.address}${suffix}`)).toEqual([0, 1, 2]);
      expect(received).toEqual([0, 1, 2]);
    },
    40_000,
  );
});

describe('strangers who say little', () => {
  it('are dropped in time, though bytes trickle in, and honest peers come through', async () => {
    await using b = createSecurePeer(2, { handshakeTimeout: 1_000 });
    const received = serveNumbers(b);
    const [bound] = await b.manager.listen('/ip4/127.0.0.1/tcp/0');
    const port = Number(bound!.split('/')[4]);
    const sockets = Array.from({ length: 200 }, (_, i) => {
      const socket = connect(port, '127.0.0.1');
      let sent = 0;
      // Half of them say nothing; the others are a handshake message of 300 bytes, one byte at a time.
      const timer = setInterval(
        () => socket.write(sent++ === 0 ? Uint8Array.of(1, 44) : Uint8Array.of(1)),
        i % 2 === 0 ? 50 : 1e9,
      );
      return socket
        .on('error', () => {})
        .on('close', () => clearInterval(timer))
        .resume();
    });
    const isGone = (socket: Socket): boolean => socket.closed;
    await using a = createSecurePeer(1);
    expect(await sendNumbers(a, bound!)).toEqual([0, 1, 2]);
    expect(received).toEqual([0, 1, 2]);
    await until(() => sockets.every(isGone), 15_000);
    expect(b.manager.connections().length).toBe(1);
    expect(b.count('handshake-failed')).toBe(200);
  }, 30_000);

  it('give their places up to newer ones above the limit', async () => {
    await using b = createSecurePeer(2, { handshakeTimeout: 60_000, limits: { maxPendingInbound: 20 } });
    const [bound] = await b.manager.listen('/ip4/127.0.0.1/tcp/0');
    const port = Number(bound!.split('/')[4]);
    const sockets = Array.from({ length: 60 }, () =>
      connect(port, '127.0.0.1')
        .on('error', () => {})
        .resume(),
    );
    await until(() => sockets.filter((socket) => socket.closed).length === 40, 10_000);
    await using a = createSecurePeer(1);
    expect((await a.manager.connect(bound!)).remotePeer).toBe(b.identity.peerId);
    await until(() => b.count('handshake-failed') === 41);
    for (const socket of sockets) socket.destroy();
  }, 30_000);
});
