import { expect, it } from 'vitest';
import { createStreamChannel } from '../../src/channel.ts';
import { createHandshake } from '../../src/handshake.ts';
import { createNoiseHandshake } from '../../src/noise.ts';
import { Recorder } from '../channel/channels.ts';
import { alice, bob, NOW, primitives } from './peers.ts';

/** A message in a Buffer that is overwritten at once, as a socket's read buffer is: `slice` of a Buffer would be a view. */
function borrowed<T>(bytes: Uint8Array, use: (message: Buffer) => T): T {
  const message = Buffer.from(bytes);
  const result = use(message);
  message.fill(0xee);
  return result;
}

it.each([undefined, bob.staticKeyPair.publicKey])(
  'keeps nothing of borrowed messages, and leaves the keys of its caller alone',
  (key) => {
    const networkKey = Buffer.alloc(32, 7);
    const shared = { primitives, networkKey };
    const known = key && { remoteStaticKey: Buffer.from(key) };
    const initiator = createHandshake({
      role: 'initiator',
      identity: alice,
      ...shared,
      ...known,
      earlyData: Buffer.from('early'),
    });
    const responder = createHandshake({ role: 'responder', identity: bob, ...shared });
    const second = borrowed(initiator.start(NOW), (message) => responder.receive(message, NOW));
    const third = borrowed(second.reply!, (message) => initiator.receive(message, NOW));
    const theirs = third.reply
      ? borrowed(third.reply, (message) => responder.receive(message, NOW)).result!
      : second.result!;
    expect(Buffer.from(theirs.earlyData!).toString()).toBe('early');
    expect(theirs.remote.identity).toEqual(alice.publicKey);
    expect(theirs.remote.staticKey).toEqual(alice.staticKeyPair.publicKey);
    expect(networkKey).toEqual(Buffer.alloc(32, 7));
    const sender = createStreamChannel(third.result!, { now: NOW, primitives });
    const receiver = createStreamChannel(theirs, { now: NOW, primitives });
    const sink = new Recorder();
    for (const length of [10, 3_000]) {
      const content = Buffer.alloc(length, 1);
      for (const chunk of sender.seal([content.subarray(0, 5), content.subarray(5)])) {
        for (let at = 0; at < chunk.length; at += 700) {
          borrowed(chunk.subarray(at, at + 700), (piece) => receiver.receive(piece, sink));
        }
      }
    }
    expect(sink.records.map((record) => Buffer.from(record).every((byte) => byte === 1))).toEqual([
      true,
      true,
    ]);
    expect(sink.records.every((record) => record.constructor === Uint8Array)).toBe(true);
  },
);

it('leaves its messages to its caller: a fallback needs the first one, which may be gone by then', () => {
  const remoteStaticKey = alice.staticKeyPair.publicKey;
  const initiator = createHandshake({ role: 'initiator', identity: alice, primitives, remoteStaticKey });
  const responder = createHandshake({ role: 'responder', identity: bob, primitives });
  const first = initiator.start(NOW);
  const second = responder.receive(first, NOW);
  first.fill(0);
  expect(initiator.receive(second.reply!, NOW).result?.pattern).toBe('XXfallback');
});

it('keeps nothing of borrowed messages in patterns without encryption', () => {
  const initiator = createNoiseHandshake({
    protocolName: 'Noise_NN_25519_ChaChaPoly_SHA256',
    role: 'initiator',
    primitives,
  });
  const responder = createNoiseHandshake({
    protocolName: 'Noise_NN_25519_ChaChaPoly_SHA256',
    role: 'responder',
    primitives,
  });
  const payload = borrowed(initiator.writeMessage(Buffer.from('clear')), (message) =>
    responder.readMessage(message),
  );
  expect(Buffer.from(payload).toString()).toBe('clear');
  borrowed(responder.writeMessage(Buffer.alloc(0)), (message) => initiator.readMessage(message));
  expect(initiator.split().handshakeHash).toEqual(responder.split().handshakeHash);
});
