import {
  aes256gcm,
  blake2b,
  chacha20poly1305,
  ed25519,
  hkdf,
  primitives,
  randomBytes,
  ready,
  x25519,
} from '@nzcore/crypto';
import { createStreamChannel } from '@nzcore/crypto/channel';
import {
  createHandshake,
  createStaticKeyCertificate,
  type LocalIdentity,
  type RecordCipher,
} from '@nzcore/crypto/handshake';
import { type Contestant, compare, type Trial } from '../area.ts';
import { processorMicroseconds, processorTime } from '../timing.ts';
import { TURNS } from './contestant.ts';

// In each of the turns of a round. Fewer in all, and a whole run would be over before the handshake had been compiled.
const HANDSHAKES = 60;
const RECORDS = 100;
const RECORD = 65_536;
const NOW = 1_750_000_000_000;

const nothing = new Uint8Array(0);
const sink = { onData: () => {}, onClose: () => {} };
let expiry = NOW + 86_400_000;

const keys = { alice: ed25519.generateKeyPair(), bob: ed25519.generateKeyPair() };
const statics = { alice: x25519.generateKeyPair(), bob: x25519.generateKeyPair() };

/** An identity with a certificate that nobody has seen: known ones are not verified again. */
function freshIdentity(name: 'alice' | 'bob'): LocalIdentity {
  const { publicKey, secretKey } = keys[name];
  const staticKeyPair = statics[name];
  const sign = (bytes: Uint8Array) => ed25519.sign(bytes, secretKey);
  return {
    publicKey,
    staticKeyPair,
    certificate: createStaticKeyCertificate(sign, staticKeyPair.publicKey, expiry++),
  };
}

/** XX, both sides in this process. */
function shakeHands(alice: LocalIdentity, bob: LocalIdentity) {
  const initiator = createHandshake({ role: 'initiator', identity: alice });
  const responder = createHandshake({ role: 'responder', identity: bob });
  const { reply: second } = responder.receive(initiator.start(NOW), NOW);
  const { reply: third, result: ours } = initiator.receive(second!, NOW);
  const { result: theirs } = responder.receive(third!, NOW);
  return [ours!, theirs!] as const;
}

function repeatedly(count: number, action: () => void): number {
  for (let index = 0; index < count; index++) action();
  return count;
}

// As a socket's reads do, everything that is opened lies in one buffer.
const wire = new Uint8Array(RECORD + 1024);

/**
 * Seals and opens, one after the other, as both ends of a connection do. Between the two the chunks are copied to the buffer of the
 * reader, which is not counted and leaves nothing for the collector: so what it collects is what sealing and opening have left.
 */
function sealAndOpen(seal: () => readonly Uint8Array[], open: (sealed: Uint8Array) => void): number {
  let total = 0;
  for (let record = 0; record < RECORDS; record++) {
    const started = processorTime();
    const chunks = seal();
    const sealed = processorTime();
    let length = 0;
    for (const chunk of chunks) {
      wire.set(chunk, length);
      length += chunk.length;
    }
    const arrived = processorTime();
    open(wire.subarray(0, length));
    total += processorTime() - arrived + (sealed - started);
  }
  return total / RECORDS;
}

// More than the package remembers: each certificate has been forgotten when its turn comes again, and is verified anew.
const STRANGERS = 600;

const handshakes: Contestant = {
  name: 'ours',
  async open() {
    await ready();
    const strangers = Array.from(
      { length: STRANGERS },
      () => [freshIdentity('alice'), freshIdentity('bob')] as const,
    );
    let turn = 0;
    const meet = () => void shakeHands(...strangers[turn++ % STRANGERS]!);
    repeatedly(STRANGERS, meet);
    return { measure: () => processorMicroseconds(() => repeatedly(HANDSHAKES, meet)) };
  },
};

/**
 * What XX asks of the primitives, both sides: 2 ephemeral key pairs, 6 key agreements, 2 verifications; HKDF for 3 keys, Split and the
 * channel's roots; 9 hashes; 2 sealed and 2 opened pieces a side.
 */
const sumOfPrimitives: Contestant = {
  name: 'primitives',
  async open() {
    await ready();
    const message = randomBytes(66);
    const signature = ed25519.sign(message, keys.alice.secretKey);
    const [key, salt, nonce, piece] = [
      randomBytes(32),
      randomBytes(64),
      new Uint8Array(12),
      randomBytes(186),
    ];
    const side = (ours: Uint8Array, theirs: Uint8Array, ephemeral: Uint8Array, remote: Uint8Array) => {
      x25519.sharedSecret(ephemeral, remote);
      x25519.sharedSecret(ours, remote);
      x25519.sharedSecret(ephemeral, theirs);
      ed25519.verify(signature, message, keys.alice.publicKey);
      for (let i = 0; i < 4; i++) hkdf('blake2b', key, { salt, length: 128 });
      hkdf('blake2b', salt, { salt, info: key, length: 64 });
      for (let i = 0; i < 9; i++) blake2b(piece);
      for (const plaintext of [key, piece]) {
        const sealed = chacha20poly1305.seal(key, nonce, plaintext, salt);
        chacha20poly1305.open(key, nonce, sealed, salt);
      }
    };
    const all = () => {
      const [a, b] = [x25519.generateKeyPair(), x25519.generateKeyPair()];
      side(statics.alice.secretKey, statics.bob.publicKey, a.secretKey, b.publicKey);
      side(statics.bob.secretKey, statics.alice.publicKey, b.secretKey, a.publicKey);
    };
    repeatedly(STRANGERS, all);
    return { measure: () => processorMicroseconds(() => repeatedly(HANDSHAKES, all)) };
  },
};

/** Seals and opens records of 64 KiB that arrive whole. */
function records(recordCipher: RecordCipher): Contestant {
  return {
    name: 'ours',
    async open() {
      await ready();
      const [ours, theirs] = shakeHands(freshIdentity('alice'), freshIdentity('bob'));
      const agreed = (result: typeof ours) => ({ ...result, recordCipher });
      const sender = createStreamChannel(agreed(ours), { now: NOW, primitives });
      const receiver = createStreamChannel(agreed(theirs), { now: NOW, primitives });
      const content = [randomBytes(16), randomBytes(RECORD)];
      const seal = () => sender.seal(content);
      const open = (sealed: Uint8Array) => receiver.receive(sealed, sink);
      return { measure: () => sealAndOpen(seal, open) };
    },
  };
}

/** The same bytes through the cipher alone, key imported. */
function bareAead(aead: typeof aes256gcm): Contestant {
  return {
    name: 'aead',
    async open() {
      await ready();
      const key = aead.importKey(randomBytes(32));
      const [nonce, content] = [new Uint8Array(12), randomBytes(RECORD + 16)];
      const seal = () => key.sealParts(nonce, [content]);
      const open = (sealed: Uint8Array) => void key.open(nonce, sealed, nothing);
      return { measure: () => sealAndOpen(seal, open) };
    },
  };
}

function protocol(name: string, contestants: readonly Contestant[]): Trial {
  return { ...compare({ name, unit: 'us', better: 'lower' }, contestants), turns: TURNS };
}

/** The protocols beside what they are made of: the handshake, and records of 64 KiB sealed and opened. */
export const protocolTrials: readonly Trial[] = [
  protocol('xx-handshake', [handshakes, sumOfPrimitives]),
  protocol('record-64k-chacha20poly1305', [records('chacha20poly1305'), bareAead(chacha20poly1305)]),
  protocol('record-64k-aes256gcm', [records('aes256gcm'), bareAead(aes256gcm)]),
];
