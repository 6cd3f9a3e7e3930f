import type { Primitives } from '../../src/index.ts';
import {
  createCipherState,
  createNoiseHandshake,
  type HandshakeState,
  parseProtocolName,
} from '../../src/noise.ts';

/** A test vector in the format of snow and cacophony (https://github.com/mcginty/snow/tree/main/tests/vectors). */
export interface NoiseVector {
  readonly protocol_name: string;
  readonly init_prologue?: string;
  readonly init_psks?: readonly string[];
  readonly init_static?: string;
  readonly init_ephemeral?: string;
  readonly init_remote_static?: string;
  readonly resp_prologue?: string;
  readonly resp_psks?: readonly string[];
  readonly resp_static?: string;
  readonly resp_ephemeral?: string;
  readonly resp_remote_static?: string;
  readonly handshake_hash?: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
}

const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const nothing = new Uint8Array(0);

/** Says whether the engine offers the algorithms of this protocol name. */
export function isOffered(protocolName: string): boolean {
  try {
    parseProtocolName(protocolName);
    return true;
  } catch {
    return false;
  }
}

function createSide(vector: NoiseVector, side: 'init' | 'resp', primitives: Primitives): HandshakeState {
  const pair = (secret: string | undefined) =>
    secret && { publicKey: primitives.x25519.publicKey(fromHex(secret)), secretKey: fromHex(secret) };
  const staticKeyPair = pair(vector[`${side}_static`]);
  const ephemeralKeyPair = pair(vector[`${side}_ephemeral`]);
  const remoteStatic = vector[`${side}_remote_static`];
  return createNoiseHandshake({
    protocolName: vector.protocol_name,
    role: side === 'init' ? 'initiator' : 'responder',
    primitives,
    prologue: fromHex(vector[`${side}_prologue`] ?? ''),
    psks: (vector[`${side}_psks`] ?? []).map(fromHex),
    ...(staticKeyPair && { staticKeyPair }),
    ...(ephemeralKeyPair && { ephemeralKeyPair }),
    ...(remoteStatic !== undefined && { remoteStaticKey: fromHex(remoteStatic) }),
  });
}

function expectHex(what: string, actual: Uint8Array, expected: string): void {
  if (toHex(actual) !== expected) throw new Error(`${what}: ${toHex(actual)} is not ${expected}`);
}

/**
 * Runs one vector: every message is written by one side, compared, and read by the other.
 * @throws Error that names the first difference.
 */
export function runNoiseVector(vector: NoiseVector, primitives: Primitives): void {
  const { pattern, cipher } = parseProtocolName(vector.protocol_name);
  const initiator = createSide(vector, 'init', primitives);
  const responder = createSide(vector, 'resp', primitives);
  const handshakeMessages = pattern.messages.length;
  vector.messages.slice(0, handshakeMessages).forEach(({ payload, ciphertext }, index) => {
    const [writer, reader] =
      initiator.nextSender === 'initiator' ? [initiator, responder] : [responder, initiator];
    const message = writer.writeMessage(fromHex(payload));
    expectHex(`message ${index}`, message, ciphertext);
    expectHex(`payload ${index}`, reader.readMessage(message), payload);
  });
  const [ours, theirs] = [initiator.split(), responder.split()];
  if (vector.handshake_hash !== undefined)
    expectHex('handshake hash', ours.handshakeHash, vector.handshake_hash);
  expectHex('handshake hash of both sides', ours.handshakeHash, toHex(theirs.handshakeHash));
  const forth = [ours.sendKey, theirs.receiveKey].map((key) => createCipherState(cipher, key, primitives));
  const back = [theirs.sendKey, ours.receiveKey].map((key) => createCipherState(cipher, key, primitives));
  const firstSender = pattern.messages[0]?.sender;
  vector.messages.slice(handshakeMessages).forEach(({ payload, ciphertext }, index) => {
    const isInitiators =
      pattern.isOneWay || ((index + handshakeMessages) % 2 === 0) === (firstSender === 'initiator');
    const [seal, open] = isInitiators ? forth : back;
    const message = seal!.encryptWithAd(nothing, fromHex(payload));
    expectHex(`transport message ${index}`, message, ciphertext);
    expectHex(`transport payload ${index}`, open!.decryptWithAd(nothing, message), payload);
  });
}
