import type { FuzzTarget } from '../../../../checks/fuzz-engine.ts';
import { ChannelSecrets } from '../../src/channel/secrets.ts';
import { createDatagramChannel, createStreamChannel } from '../../src/channel.ts';
import { decodeOffer, decodeTerms } from '../../src/handshake/offer.ts';
import { Tickets } from '../../src/handshake/ticket-cache.ts';
import { keyOf } from '../../src/handshake/ticket-table.ts';
import {
  createHandshake,
  type Handshake,
  type HandshakeOptions,
  type RecordCipher,
} from '../../src/handshake.ts';
import { SecretBytes } from '../../src/index.ts';
import { encodeCanonical } from '../../src/msgpack.ts';
import { join, Recorder } from '../channel/channels.ts';
import { alice, bob, carol, NOW } from '../handshake/peers.ts';
import { withFixedKeyPairs } from '../spec-vectors/fixed-keys.ts';
import { createRememberingPrimitives } from './remembering-curves.ts';

const primitives = await createRememberingPrimitives();
const ciphers: readonly RecordCipher[] = ['chacha20poly1305', 'aes256gcm', 'aes256gcm-chacha20poly1305'];
const networkKey = new Uint8Array(32).fill(5);

/** Runs something that may only fail with one code of one error class. Answers whether it failed. */
function isRefused(action: () => void, errorName: string, code: string): boolean {
  try {
    action();
    return false;
  } catch (error) {
    if (error instanceof Error && error.name === errorName && (error as { code?: unknown }).code === code)
      return true;
    throw error;
  }
}

function expectRefusal(input: Uint8Array, valid: readonly Uint8Array[], isFailed: boolean): void {
  const isValid = valid.some((seed) => Buffer.compare(seed, input) === 0);
  if (isValid === isFailed)
    throw new Error(isValid ? 'a valid input was refused' : 'a changed input was accepted');
}

/** Both sides of a handshake with fixed ephemeral keys, so that recorded messages stay valid. */
function createSides(options: Partial<HandshakeOptions>) {
  const { remoteStaticKey, ...common } = options;
  const fixed = (byte: number) => withFixedKeyPairs(primitives, [new Uint8Array(32).fill(byte)]);
  const believed = remoteStaticKey && { remoteStaticKey };
  return {
    initiator: createHandshake({
      role: 'initiator',
      identity: alice,
      ...common,
      ...believed,
      primitives: fixed(8),
    }),
    responder: createHandshake({ role: 'responder', identity: bob, ...common, primitives: fixed(9) }),
  };
}

const variants: readonly Partial<HandshakeOptions>[] = [
  {},
  { remoteStaticKey: bob.staticKeyPair.publicKey },
  { remoteStaticKey: carol.staticKeyPair.publicKey },
  { networkKey },
];

const recordings = variants.map((options) => {
  const { initiator, responder } = createSides(options);
  const first = initiator.start(NOW);
  const second = responder.receive(first, NOW).reply!;
  const third = initiator.receive(second, NOW).reply;
  return { options, first, second, third };
});

/** Message 1 of any kind, to a responder: what it answers to a changed one, the initiator refuses. */
/** Whether a first message is refused by its responder, or at the latest its answer by the initiator. */
function isFirstRefused(initiator: Handshake, responder: Handshake, input: Uint8Array): boolean {
  initiator.start(NOW);
  return isRefused(
    () => {
      initiator.receive(responder.receive(input, NOW).reply!, NOW);
    },
    'HandshakeError',
    'INVALID_MESSAGE',
  );
}

const firstMessages: FuzzTarget = {
  name: 'handshake message 1',
  seeds: recordings.map(({ first }) => first),
  run(input) {
    for (const { options, first } of [recordings[1]!, recordings[3]!]) {
      const { initiator, responder } = createSides(options);
      const isFailed = isFirstRefused(initiator, responder, input);
      expectRefusal(input, [first], isFailed);
    }
  },
};

const secondMessages: FuzzTarget = {
  name: 'handshake message 2',
  seeds: recordings.map(({ second }) => second),
  run(input) {
    const { options, second } = recordings[input.length % recordings.length]!;
    const { initiator } = createSides(options);
    initiator.start(NOW);
    expectRefusal(
      input,
      [second],
      isRefused(() => initiator.receive(input, NOW), 'HandshakeError', 'INVALID_MESSAGE'),
    );
  },
};

const thirdMessages: FuzzTarget = {
  name: 'handshake message 3',
  seeds: recordings.flatMap(({ third }) => third ?? []),
  run(input) {
    const { options, first, third } = recordings[input.length % 2 === 0 ? 0 : 2]!;
    const { responder } = createSides(options);
    responder.receive(first, NOW);
    expectRefusal(
      input,
      [third!],
      isRefused(() => responder.receive(input, NOW), 'HandshakeError', 'INVALID_MESSAGE'),
    );
  },
};

/** Alice's cache and Bob's, with the tickets of a handshake that both had with the other. */
function createKnownCaches(): Record<'initiator' | 'responder', Tickets> {
  const ticket = (byte: number) => ({
    id: new Uint8Array(16).fill(byte),
    idKey: keyOf(new Uint8Array(16).fill(byte)),
    secret: SecretBytes.from(new Uint8Array(32).fill(byte)),
    expiresAt: NOW + 1_000,
  });
  const of = (local: typeof alice, remote: typeof alice, [dialling, accepting]: [number, number]) => {
    const peer = { identity: remote.publicKey, staticKey: remote.staticKeyPair.publicKey };
    const remoteKey = keyOf(remote.publicKey);
    const common = {
      localIdentity: local.publicKey,
      remoteKey,
      isOfOwnDial: true,
      remote: { ...peer, staticKeyExpiresAt: NOW + 1_000 },
    };
    const cache = new Tickets({});
    cache.add({
      dialling: { ...ticket(dialling), ...common },
      accepting: { ...ticket(accepting), ...common },
    });
    return cache;
  };
  return { initiator: of(alice, bob, [1, 2]), responder: of(bob, alice, [2, 1]) };
}

/** Both sides of a handshake that resumes, before its first message; a responder may have been asked with other ones before. */
function createResumingSides(options: Partial<HandshakeOptions>) {
  const caches = createKnownCaches();
  const fixed = (byte: number) => withFixedKeyPairs(primitives, [new Uint8Array(32).fill(byte)]);
  const common = { ...options, role: 'initiator' as const, identity: alice, expectedIdentity: bob.publicKey };
  return {
    tickets: caches.responder,
    initiator: createHandshake({ ...common, tickets: caches.initiator, primitives: fixed(8) }),
    responder: createHandshake({
      ...options,
      role: 'responder',
      identity: bob,
      tickets: caches.responder,
      primitives: fixed(9),
    }),
  };
}

const resumptions = [{}, { networkKey }].map((options) => {
  const { initiator, responder } = createResumingSides(options);
  const first = initiator.start(NOW);
  const { reply, result } = responder.receive(first, NOW);
  if (result?.pattern !== 'NNpsk0') throw new Error('the seed does not resume');
  return { options, first, second: reply! };
});

const resumedFirstMessages: FuzzTarget = {
  name: 'resumed handshake message 1',
  seeds: resumptions.map(({ first }) => first),
  run(input) {
    for (const { options, first } of resumptions) {
      const { initiator, responder, tickets } = createResumingSides(options);
      const isFailed = isFirstRefused(initiator, responder, input);
      expectRefusal(input, [first], isFailed);
      if (isFailed && tickets.size !== 2) throw new Error('a changed message has used the ticket up');
    }
  },
};

const resumedSecondMessages: FuzzTarget = {
  name: 'resumed handshake message 2',
  seeds: resumptions.map(({ second }) => second),
  run(input) {
    const { options, second } = resumptions[input.length % 2]!;
    const { initiator } = createResumingSides(options);
    initiator.start(NOW);
    const isFailed = isRefused(() => initiator.receive(input, NOW), 'HandshakeError', 'INVALID_MESSAGE');
    expectRefusal(input, [second], isFailed);
  },
};

const terms: FuzzTarget = {
  name: 'handshake terms',
  seeds: [
    encodeCanonical([1, 3, ['a', 'b'], ['aes256gcm'], 66_560, null]),
    encodeCanonical([1, 1, [], ciphers, 4_096, new Uint8Array(300), 'later', 1]),
  ],
  run(input) {
    isRefused(() => void decodeTerms(input), 'HandshakeError', 'INVALID_MESSAGE');
  },
};

const signature = bob.certificate.signature;
const offers: FuzzTarget = {
  name: 'handshake offer',
  seeds: [
    encodeCanonical([1, 3, ['a', 'b'], ['aes256gcm'], 66_560, bob.publicKey, NOW, signature, null]),
    encodeCanonical([
      1,
      1,
      [],
      ciphers,
      4_096,
      bob.publicKey,
      NOW,
      signature,
      new Uint8Array(300),
      'later',
      1,
    ]),
  ],
  run(input) {
    isRefused(() => void decodeOffer(input), 'HandshakeError', 'INVALID_MESSAGE');
  },
};

function basis(role: 'initiator' | 'responder', recordCipher: RecordCipher) {
  const keys = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as const;
  const secrets = new ChannelSecrets(keys, new Uint8Array(64), primitives);
  const limits = { updateRecords: 1, ratchetBytes: 40 };
  return [
    { role, recordCipher, maxRecordSize: 66_560, secrets },
    { now: 0, primitives, limits },
  ] as const;
}

const lengths = [10, 20, 30, 2_000, 5];
const contents = lengths.map((length) => new Uint8Array(length).fill(length));

/** Streams with records of every type, for each cipher. */
const streams = ciphers.map((cipher) => {
  const channel = createStreamChannel(...basis('initiator', cipher));
  return join([...contents.flatMap((content) => channel.seal([content])), ...channel.close()]);
});

const records: FuzzTarget = {
  name: 'stream records',
  seeds: streams,
  run(input) {
    const which = input.length % ciphers.length;
    const receiver = createStreamChannel(...basis('responder', ciphers[which]!));
    const sink = new Recorder();
    const slice = 1 + ((input[5] ?? 0) % 250) * 9;
    const isFailed = isRefused(
      () => {
        for (let at = 0; at < input.length; at += slice)
          receiver.receive(input.subarray(at, at + slice), sink);
      },
      'ChannelError',
      'INVALID_RECORD',
    );
    sink.records.forEach((record, index) => {
      if (Buffer.compare(record, contents[index]!) !== 0) throw new Error('a record that was never sent');
    });
    const isComplete = Buffer.compare(input, streams[which]!) === 0;
    if (isComplete !== (sink.closes === 1 && !isFailed))
      throw new Error('a changed stream was closed, or a valid one refused');
  },
};

const sealedDatagrams = ciphers.map((cipher) => {
  const channel = createDatagramChannel(...basis('initiator', cipher));
  return [...contents.map((content) => channel.seal(content)), ...(channel.takeControl() ?? [])];
});
// One receiver for all runs: a refused datagram must leave it as it was. The last datagrams are kept back to show that.
const receivers = ciphers.map((cipher) => createDatagramChannel(...basis('responder', cipher)));

const datagrams: FuzzTarget = {
  name: 'datagrams',
  seeds: sealedDatagrams.flat(),
  run(input) {
    if (sealedDatagrams.flat().some((datagram) => Buffer.compare(datagram, input) === 0)) return;
    for (const receiver of receivers) {
      const isFailed = isRefused(() => void receiver.open(input), 'ChannelError', 'INVALID_RECORD');
      if (!isFailed) throw new Error('a changed datagram was opened');
    }
  },
};

/** Opens the datagrams that were valid all along: whatever was refused before must not have changed the receivers. */
export function openKeptDatagrams(): number[][] {
  return receivers.map((receiver, which) =>
    sealedDatagrams[which]!.slice(0, 5).map((datagram) => receiver.open(datagram)!.length),
  );
}

/** Everything of NZ-HANDSHAKE-01 and NZ-CHANNEL-01 that reads a peer's bytes. */
export const targets: readonly FuzzTarget[] = [
  firstMessages,
  secondMessages,
  thirdMessages,
  resumedFirstMessages,
  resumedSecondMessages,
  terms,
  offers,
  records,
  datagrams,
];
