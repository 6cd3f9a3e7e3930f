import { ChannelSecrets } from '../../src/channel/secrets.ts';
import {
  createDatagramChannel,
  createStreamChannel,
  type DatagramChannel,
  type StreamChannel,
} from '../../src/channel.ts';
import type { RecordCipher } from '../../src/handshake.ts';
import type { Primitives } from '../../src/index.ts';
import { countingSecret, toHex, withFixedKeyPairs } from './fixed-keys.ts';

const keys = { initiator: countingSecret(1), responder: countingSecret(33) };
const handshakeHash = Uint8Array.of(...countingSecret(65), ...countingSecret(97));
const ratchetSecrets = { initiator: countingSecret(129), responder: countingSecret(161) };
const ciphers: readonly RecordCipher[] = ['chacha20poly1305', 'aes256gcm', 'aes256gcm-chacha20poly1305'];
const encoder = new TextEncoder();
const large = Uint8Array.from({ length: 2_000 }, (_, i) => i & 0xff);

type Role = 'initiator' | 'responder';
const other = (role: Role): Role => (role === 'initiator' ? 'responder' : 'initiator');
const sink = { onData: () => {}, onClose: () => {} };

/** The formulas of NZ-CHANNEL-01 §4 and §6.3, written down once more so that the vectors do not only repeat the code. */
function schedule(primitives: Primitives) {
  const derive = (ikm: Uint8Array, info: Uint8Array, length: number, salt?: Uint8Array) =>
    primitives.hkdf('blake2b', ikm, { ...(salt && { salt }), info, length });
  const label = (name: string) => encoder.encode(`NZ-CHANNEL-01/${name}`);
  const roots = derive(
    Uint8Array.of(...keys.initiator, ...keys.responder),
    label('roots'),
    64,
    handshakeHash,
  );
  const chain = (root: Uint8Array) => {
    const traffic = derive(root, label('traffic'), 64);
    const steps = (first: Uint8Array) => {
      let secret = first;
      return [0, 1].map((step) => {
        const output = derive(secret, label('step'), 96);
        const entry = {
          step,
          secret: toHex(secret),
          chacha: toHex(output.slice(32, 64)),
          aes: toHex(output.slice(64)),
        };
        secret = output.slice(0, 32);
        return entry;
      });
    };
    return { root: toHex(root), initiator: steps(traffic.slice(0, 32)), responder: steps(traffic.slice(32)) };
  };
  const publicKeys = {
    offer: primitives.x25519.publicKey(ratchetSecrets.initiator),
    answer: primitives.x25519.publicKey(ratchetSecrets.responder),
  };
  const shared = primitives.x25519.sharedSecret(ratchetSecrets.initiator, publicKeys.answer);
  const info = Uint8Array.of(...label('dh'), ...publicKeys.offer, ...publicKeys.answer);
  const generations = (root: Uint8Array) => [chain(root), chain(derive(shared, info, 32, root))];
  return { stream: generations(roots.slice(0, 32)), datagram: generations(roots.slice(32)) };
}

function basis(role: Role, recordCipher: RecordCipher, primitives: Primitives) {
  const fixed = withFixedKeyPairs(primitives, [ratchetSecrets[role]]);
  const secrets = new ChannelSecrets([keys.initiator.slice(), keys.responder.slice()], handshakeHash, fixed);
  // An update after two records; a Diffie-Hellman step as soon as 4000 bytes were exchanged, from the initiator only.
  const limits = { updateRecords: 2, ratchetBytes: role === 'initiator' ? 4_000 : 1_000_000 };
  return [
    { role, recordCipher, maxRecordSize: 66_560, secrets },
    { now: 0, primitives: fixed, limits },
  ] as const;
}

function streamRun(recordCipher: RecordCipher, primitives: Primitives) {
  const ends: Record<Role, StreamChannel> = {
    initiator: createStreamChannel(...basis('initiator', recordCipher, primitives)),
    responder: createStreamChannel(...basis('responder', recordCipher, primitives)),
  };
  const flights: { sender: Role; data: string | null; wire: string }[] = [];
  const deliver = (sender: Role, data: Uint8Array | undefined, chunks: Uint8Array[] | undefined) => {
    if (!chunks) return;
    const wire = Buffer.concat(chunks);
    ends[other(sender)].receive(wire, sink);
    flights.push({ sender, data: data ? toHex(data) : null, wire: toHex(wire) });
  };
  for (const [sender, data] of [
    ['initiator', encoder.encode('small')],
    ['responder', encoder.encode('answer')],
    ['initiator', large],
    ['initiator', encoder.encode('behind the update')],
    ['responder', large],
    ['initiator', encoder.encode('behind the offer')],
    ['responder', encoder.encode('behind the answer')],
    ['initiator', large],
  ] as const) {
    deliver(sender, data, ends[sender].seal([data]));
    deliver(other(sender), undefined, ends[other(sender)].takeControl());
  }
  for (const sender of ['initiator', 'responder'] as const) deliver(sender, undefined, ends[sender].close());
  return { recordCipher, flights };
}

function datagramRun(recordCipher: RecordCipher, primitives: Primitives) {
  const ends: Record<Role, DatagramChannel> = {
    initiator: createDatagramChannel(...basis('initiator', recordCipher, primitives)),
    responder: createDatagramChannel(...basis('responder', recordCipher, primitives)),
  };
  const datagrams: { sender: Role; data: string | null; wire: string }[] = [];
  const deliver = (sender: Role, data: Uint8Array | undefined, wire: Uint8Array) => {
    ends[other(sender)].open(wire);
    datagrams.push({ sender, data: data ? toHex(data) : null, wire: toHex(wire) });
  };
  for (const [sender, data] of [
    ['initiator', encoder.encode('small')],
    ['initiator', large],
    ['initiator', encoder.encode('behind the step')],
    ['responder', large],
    ['initiator', encoder.encode('after the Diffie-Hellman step')],
    ['responder', encoder.encode('likewise')],
  ] as const) {
    deliver(sender, data, ends[sender].seal(data));
    for (const speaker of ['initiator', 'responder', 'initiator'] as const) {
      for (const wire of ends[speaker].takeControl() ?? []) deliver(speaker, undefined, wire);
    }
  }
  const [farewell] = ends.initiator.close();
  datagrams.push({ sender: 'initiator', data: null, wire: toHex(farewell!) });
  return { recordCipher, datagrams };
}

/** The content of spec/vectors/NZ-CHANNEL-01.json. */
export function createChannelVectors(primitives: Primitives) {
  return {
    specification: 'NZ-CHANNEL-01',
    initiatorKey: toHex(keys.initiator),
    responderKey: toHex(keys.responder),
    handshakeHash: toHex(handshakeHash),
    ratchetSecrets: {
      initiator: toHex(ratchetSecrets.initiator),
      responder: toHex(ratchetSecrets.responder),
    },
    generations: schedule(primitives),
    streams: ciphers.map((cipher) => streamRun(cipher, primitives)),
    datagrams: ciphers.map((cipher) => datagramRun(cipher, primitives)),
  };
}
