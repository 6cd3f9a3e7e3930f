import {
  createHandshake,
  createStaticKeyCertificate,
  type HandshakeOptions,
  type HandshakeResult,
  type LocalIdentity,
} from '../../src/handshake.ts';
import { createPrimitives, type Primitives } from '../../src/index.ts';

export const primitives: Primitives = createPrimitives('node');

/** The time of every test here, in milliseconds since the epoch. */
export const NOW = 1_750_000_000_000;
const DAY = 86_400_000;

/** An identity whose seed and static key are made of one byte; its certificate expires a day after {@link NOW}. */
export function createIdentity(
  byte: number,
  options: { expiresAt?: number; staticByte?: number } = {},
): LocalIdentity {
  const { expiresAt = NOW + DAY, staticByte = byte } = options;
  const identity = primitives.ed25519.keyPairFromSeed(new Uint8Array(32).fill(byte));
  const secretKey = new Uint8Array(32).fill(staticByte + 100);
  const staticKeyPair = { publicKey: primitives.x25519.publicKey(secretKey), secretKey };
  const sign = (bytes: Uint8Array) => primitives.ed25519.sign(bytes, identity.secretKey);
  const certificate = createStaticKeyCertificate(sign, staticKeyPair.publicKey, expiresAt);
  return { publicKey: identity.publicKey, staticKeyPair, certificate };
}

export const alice: LocalIdentity = createIdentity(1);
export const bob: LocalIdentity = createIdentity(2);
export const carol: LocalIdentity = createIdentity(3);

/** Options of the two sides; Alice is the initiator, Bob the responder unless said otherwise. */
export interface Sides {
  readonly initiator?: Partial<HandshakeOptions>;
  readonly responder?: Partial<HandshakeOptions>;
}

/** What both sides have after a handshake, and all messages in order. */
export interface Outcome {
  readonly initiator: HandshakeResult;
  readonly responder: HandshakeResult;
  readonly messages: readonly Uint8Array[];
}

/** Runs a whole handshake in memory. */
export function shakeHands(sides: Sides = {}): Outcome {
  const initiator = createHandshake({ role: 'initiator', identity: alice, primitives, ...sides.initiator });
  const responder = createHandshake({ role: 'responder', identity: bob, primitives, ...sides.responder });
  const messages = [initiator.start(NOW)];
  let ours: HandshakeResult | undefined;
  let theirs: HandshakeResult | undefined;
  while (!ours || !theirs) {
    const receiver = messages.length % 2 === 1 ? responder : initiator;
    const { reply, result } = receiver.receive(messages.at(-1)!, NOW);
    if (receiver === responder) theirs ??= result;
    else ours ??= result;
    if (reply) messages.push(reply);
    else if (!result) throw new Error('the handshake stands still');
  }
  return { initiator: ours, responder: theirs, messages };
}
