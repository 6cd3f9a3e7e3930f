import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createStreamChannel } from '@nzcore/crypto/channel';
import { createHandshake, type HandshakeResult } from '@nzcore/crypto/handshake';
import { describe, expect, it } from 'vitest';
import type { ByteConnection } from '../src/byte-connection.ts';
import type { Connection } from '../src/connection/connection.ts';
import { upgradeInbound, upgradeOutbound } from '../src/connection/upgrade.ts';
import { createMemoryPair } from '../src/memory.ts';
import type { Stream } from '../src/mux/stream.ts';
import { alice, bob, connectPeers } from './connected.ts';
import { hex, type Session, type Step, unhex, type WireVectors } from './wire-vectors.ts';

const FILE = new URL('../../../spec/vectors/NZ-WIRE-01-v1.json', import.meta.url);
const frozen = JSON.parse(readFileSync(FILE, 'utf8')) as WireVectors;

/**
 * A peer of version 1: it knows the handshake and the channel, and of NZ-WIRE-01 only the bytes that its frozen vectors have. Nothing of
 * today's multiplexer is in it.
 */
interface OlderPeer {
  readonly result: HandshakeResult;
  /** Records that came since the last call. */
  takeRecords(): string[];
  send(record: Uint8Array): void;
}

function openOlderPeer(bytes: ByteConnection, role: 'initiator' | 'responder'): Promise<OlderPeer> {
  const handshake = createHandshake({
    role,
    identity: bob.handshakeIdentity(Date.now()),
    versions: { min: 1, max: 1 },
  });
  const frame = (message: Uint8Array): void => {
    bytes.write([Uint8Array.of(message.length >> 8, message.length & 0xff), message]);
  };
  return new Promise((resolve) => {
    let received: Uint8Array = new Uint8Array(0);
    let onBytes = (): void => {
      const length = (received[0]! << 8) | received[1]!;
      if (received.length < 2 || received.length < 2 + length) return;
      const { reply, result } = handshake.receive(received.slice(2, 2 + length), Date.now());
      received = received.slice(2 + length);
      if (reply) frame(reply);
      if (result) resolve(speak(result));
    };
    const speak = (result: HandshakeResult): OlderPeer => {
      const channel = createStreamChannel(result, { now: 0 });
      const records: string[] = [];
      onBytes = () => {
        channel.receive(received, { onData: (plaintext) => records.push(hex(plaintext)), onClose: () => {} });
        received = new Uint8Array(0);
      };
      if (received.length > 0) onBytes();
      return {
        result,
        takeRecords: () => records.splice(0),
        send: (record) => void bytes.write(channel.seal([record])),
      };
    };
    bytes.start({
      onData: (chunk) => {
        received = new Uint8Array(Buffer.concat([received, chunk]));
        onBytes();
      },
      onDrain: () => {},
      onEnd: () => {},
      onClose: () => {},
    });
    if (role === 'initiator') frame(handshake.start(Date.now()));
  });
}

/** Plays a session of the frozen vectors between today's connection, which offers both versions, and the older peer. */
async function playWithOlder(session: Session): Promise<{ steps: Step[]; connection: Connection }> {
  const [near, far] = createMemoryPair();
  const steps: Step[] = [];
  const streams = new Map<number, Stream>();
  const watch = (stream: Stream): void => {
    streams.set(stream.id, stream);
    stream.receive({
      onData: (chunk) => void steps.push({ event: 'data', stream: stream.id, data: hex(chunk) }),
      onEnd: () => void steps.push({ event: 'end', stream: stream.id }),
      onReset: () => void steps.push({ event: 'reset', stream: stream.id }),
    });
  };
  const onStream = (stream: Stream): void => {
    steps.push({ event: 'opened', stream: stream.id, protocol: stream.protocol });
    watch(stream);
  };
  const options = { identity: alice.handshakeIdentity(Date.now()), onStream };
  const isInitiator = session.role === 'initiator';
  const [connection, older] = await Promise.all([
    isInitiator ? upgradeOutbound(near, options) : upgradeInbound(near, options),
    openOlderPeer(far, isInitiator ? 'responder' : 'initiator'),
  ]);
  for (const step of session.steps) {
    if (step.call === undefined && step.receive === undefined) continue;
    steps.push(step);
    if (step.receive !== undefined) older.send(unhex(step.receive));
    else await act(connection, step, { streams, watch });
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    for (const record of older.takeRecords()) steps.push({ sent: record });
  }
  expect(older.result.version).toBe(1);
  return { steps, connection };
}

async function act(
  connection: Connection,
  step: Step,
  { streams, watch }: { streams: Map<number, Stream>; watch: (stream: Stream) => void },
): Promise<void> {
  const data = step.data === undefined ? {} : { data: unhex(step.data) };
  const stream = streams.get(step.stream ?? 0);
  if (step.call === 'open') watch(await connection.openStream(step.protocol!, data));
  else if (step.call === 'write') stream!.write(unhex(step.data!));
  else if (step.call === 'closeWrite') void stream!.closeWrite();
  else if (step.call === 'reset') stream!.reset(step.code);
  else if (step.call === 'ping') connection.ping().catch(() => undefined);
  else void connection.close();
}

describe('a peer of version 1', () => {
  it('is known by vectors that nobody has changed since they were frozen', () => {
    expect(createHash('sha256').update(readFileSync(FILE)).digest('hex')).toBe(
      '7f3a8925a7311af14e0db04fbde25dc33cde9dca3c68efbfae6a4caa916dcd41',
    );
  });

  it.each(frozen.sessions)(
    'is spoken with in its own bytes, through handshake and channel: $name',
    async (session) => {
      const { steps, connection } = await playWithOlder(session);
      expect(connection.version).toBe(1);
      expect(steps).toEqual(session.steps);
      connection.abort();
    },
  );

  it.each(frozen.refused)('is refused $name as it always was', async ({ record, code }) => {
    const [near, far] = createMemoryPair();
    const [connection, older] = await Promise.all([
      upgradeInbound(near, { identity: alice.handshakeIdentity(Date.now()), onStream: () => {} }),
      openOlderPeer(far, 'initiator'),
    ]);
    older.send(unhex(record));
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    near.destroy();
    expect(await connection.closed).toMatchObject({ code });
  });
});

describe('negotiation', () => {
  const versions = (min: number, max: number) => ({ versions: { min, max } });

  it.each([
    [versions(1, 2), versions(1, 2), 2],
    [versions(1, 2), versions(1, 1), 1],
    [versions(1, 1), versions(1, 2), 1],
    [versions(2, 2), versions(1, 2), 2],
    [versions(2, 9), versions(1, 2), 2],
  ])('takes the highest version that both have: %o and %o', async (near, far, version) => {
    await using peers = await connectPeers({ near, far });
    expect([peers.near.version, peers.far.version]).toEqual([version, version]);
  });

  it.each([
    [
      ['a', 'b', 'c'],
      ['c', 'x', 'a'],
      ['a', 'c'],
    ],
    [['deflate'], [], []],
    [[], ['deflate'], []],
  ])('has the features that both named, of %j and %j', async (near, far, common) => {
    await using peers = await connectPeers({ near: { features: near }, far: { features: far } });
    expect([peers.near.features, peers.far.features]).toEqual([common, common]);
  });

  it('cannot be turned down on the way: a handshake in which the version was changed fails', async () => {
    const [near, far] = createMemoryPair();
    let seen = 0;
    const meddled: ByteConnection = {
      ...far,
      localAddress: far.localAddress,
      remoteAddress: far.remoteAddress,
      heldBytes: 0,
      start: (handler) => far.start(handler),
      pause: () => far.pause(),
      resume: () => far.resume(),
      end: () => far.end(),
      destroy: (error) => far.destroy(error),
      write: (chunks) => {
        const bytes = new Uint8Array(Buffer.concat(chunks));
        // The second message holds what the responder offers; wherever a bit of it is turned, nothing authentic is left.
        if (seen++ === 0) bytes[bytes.length - 20]! ^= 1;
        return far.write([bytes]);
      },
    };
    await expect(connectPeers({ bytes: [near, meddled] })).rejects.toMatchObject({
      code: 'HANDSHAKE_FAILED',
    });
  });
});
