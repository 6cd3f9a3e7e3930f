import { deriveTickets } from '../../src/handshake/resumption.ts';
import {
  createHandshake,
  createStaticKeyCertificate,
  createTicketCache,
  type HandshakeResult,
  type LocalIdentity,
} from '../../src/handshake.ts';
import type { Primitives } from '../../src/index.ts';
import { countingSecret, toHex, withFixedKeyPairs } from './fixed-keys.ts';

const NOW = 1_750_000_000_000;
const EXPIRES_AT = 1_750_604_800_000;
const features = { initiator: ['compress', 'datagrams'], responder: ['datagrams', 'relay'] };
const earlyData = new TextEncoder().encode('early');

const secrets = {
  initiator: { identitySeed: countingSecret(0), static: countingSecret(32), ephemeral: countingSecret(64) },
  responder: {
    identitySeed: countingSecret(96),
    static: countingSecret(128),
    ephemeral: countingSecret(160),
  },
  network: countingSecret(192),
  /** A static key that the responder had once: believing in it makes the handshake fall back. */
  former: countingSecret(224),
};

function identityOf(role: 'initiator' | 'responder', primitives: Primitives): LocalIdentity {
  const { publicKey, secretKey } = primitives.ed25519.keyPairFromSeed(secrets[role].identitySeed);
  const staticKeyPair = {
    publicKey: primitives.x25519.publicKey(secrets[role].static),
    secretKey: secrets[role].static,
  };
  const sign = (bytes: Uint8Array) => primitives.ed25519.sign(bytes, secretKey);
  const certificate = createStaticKeyCertificate(sign, staticKeyPair.publicKey, EXPIRES_AT);
  return { publicKey, staticKeyPair, certificate };
}

function run(primitives: Primitives, pattern: 'XX' | 'IK' | 'XXfallback', hasNetworkKey: boolean) {
  const side = (role: 'initiator' | 'responder') => ({
    role,
    identity: identityOf(role, primitives),
    features: features[role],
    recordCiphers: ['aes256gcm', 'chacha20poly1305'] as const,
    primitives: withFixedKeyPairs(primitives, [secrets[role].ephemeral]),
    ...(hasNetworkKey && { networkKey: secrets.network }),
  });
  const believed = pattern === 'IK' ? secrets.responder.static : secrets.former;
  const remoteStaticKey = pattern === 'XX' ? undefined : primitives.x25519.publicKey(believed);
  const initiator = createHandshake({
    ...side('initiator'),
    earlyData,
    ...(remoteStaticKey && { remoteStaticKey }),
  });
  const responder = createHandshake(side('responder'));
  const first = initiator.start(NOW);
  const second = responder.receive(first, NOW);
  const third = initiator.receive(second.reply!, NOW);
  const { secrets: channel, handshakeHash } = third.result!;
  if (third.reply) responder.receive(third.reply, NOW);
  const messages = [first, second.reply!, ...(third.reply ? [third.reply] : [])];
  return {
    pattern,
    networkKey: hasNetworkKey ? toHex(secrets.network) : null,
    remoteStaticKey: remoteStaticKey ? toHex(remoteStaticKey) : null,
    messages: messages.map(toHex),
    handshakeHash: toHex(handshakeHash),
    streamRoot: toHex(channel.take('stream')),
    datagramRoot: toHex(channel.take('datagram')),
  };
}

/** Primitives that note what goes into HKDF, for Split's keys and the handshake hash are handed to nobody. */
function withNotedTickets(primitives: Primitives) {
  const notes: object[] = [];
  const label = 'NZ-HANDSHAKE-01/tickets';
  const hkdf: Primitives['hkdf'] = (hash, ikm, options) => {
    if (options.info && new TextDecoder().decode(options.info) === label) {
      const tickets = deriveTickets(ikm, options.salt!, primitives);
      const [initiator, responder] = tickets.map(({ id, secret }) => ({
        id: toHex(id),
        secret: secret.use(toHex),
      }));
      notes.push({ initiator, responder });
    }
    return primitives.hkdf(hash, ikm, options);
  };
  return { notes, primitives: { ...primitives, hkdf } };
}

/** IK, whose tickets both sides keep, and the handshake that resumes it with the initiator's. */
function resume(backend: Primitives, hasNetworkKey: boolean) {
  const { notes, primitives } = withNotedTickets(backend);
  const caches = { initiator: createTicketCache(), responder: createTicketCache() };
  const side = (role: 'initiator' | 'responder', ephemeral: Uint8Array) => ({
    role,
    identity: identityOf(role, primitives),
    features: features[role],
    recordCiphers: ['aes256gcm', 'chacha20poly1305'] as const,
    primitives: withFixedKeyPairs(primitives, [ephemeral]),
    tickets: caches[role],
    ...(hasNetworkKey && { networkKey: secrets.network }),
  });
  const responderIdentity = identityOf('responder', primitives);
  const meet = (ephemerals: Record<'initiator' | 'responder', Uint8Array>) => {
    const initiator = createHandshake({
      ...side('initiator', ephemerals.initiator),
      earlyData,
      expectedIdentity: responderIdentity.publicKey,
      remoteStaticKey: responderIdentity.staticKeyPair.publicKey,
    });
    const responder = createHandshake(side('responder', ephemerals.responder));
    const first = initiator.start(NOW);
    const second = responder.receive(first, NOW);
    const { result } = initiator.receive(second.reply!, NOW);
    second.result!.resumption!.keep();
    result!.resumption!.keep();
    notes.pop();
    return describeRun(result!, [first, second.reply!], notes.pop()!);
  };
  const before = meet({ initiator: secrets.initiator.ephemeral, responder: secrets.responder.ephemeral });
  const ephemerals = { initiator: countingSecret(16), responder: countingSecret(48) };
  return {
    networkKey: hasNetworkKey ? toHex(secrets.network) : null,
    before,
    resumed: {
      initiatorEphemeral: toHex(ephemerals.initiator),
      responderEphemeral: toHex(ephemerals.responder),
      ...meet(ephemerals),
    },
  };
}

function describeRun(result: HandshakeResult, messages: readonly Uint8Array[], tickets: object) {
  const { pattern, secrets: channel, handshakeHash } = result;
  return {
    pattern,
    messages: messages.map(toHex),
    handshakeHash: toHex(handshakeHash),
    streamRoot: toHex(channel.take('stream')),
    datagramRoot: toHex(channel.take('datagram')),
    tickets,
  };
}

/** The content of spec/vectors/NZ-HANDSHAKE-01.json. */
export function createHandshakeVectors(primitives: Primitives) {
  const side = (role: 'initiator' | 'responder') => {
    const { publicKey, staticKeyPair, certificate } = identityOf(role, primitives);
    return {
      identitySeed: toHex(secrets[role].identitySeed),
      identity: toHex(publicKey),
      staticSecret: toHex(secrets[role].static),
      static: toHex(staticKeyPair.publicKey),
      ephemeralSecret: toHex(secrets[role].ephemeral),
      expiresAt: certificate.expiresAt,
      signature: toHex(certificate.signature),
      features: features[role],
    };
  };
  return {
    specification: 'NZ-HANDSHAKE-01',
    now: NOW,
    versions: [1, 1],
    recordCiphers: ['aes256gcm', 'chacha20poly1305'],
    recordSize: 66_560,
    earlyData: toHex(earlyData),
    initiator: side('initiator'),
    responder: side('responder'),
    runs: (['XX', 'IK', 'XXfallback'] as const).flatMap((pattern) =>
      [false, true].map((hasNetworkKey) => run(primitives, pattern, hasNetworkKey)),
    ),
    resumptions: [false, true].map((hasNetworkKey) => resume(primitives, hasNetworkKey)),
  };
}
