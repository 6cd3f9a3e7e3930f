import type { KeyPair } from '../primitives.ts';
import type { HandshakePattern, Role } from './patterns.ts';

/** Bytes of an X25519 key (Noise §12.1). */
export const DH_LENGTH = 32;
const PSK_LENGTH = 32;

/** Keys and context that a handshake starts from (Noise §5.3, Initialize). */
export interface HandshakeKeys {
  /** Bytes that both sides must agree on. @defaultValue empty */
  readonly prologue?: Uint8Array;
  /** This side's static key pair; borrowed until the handshake ends. */
  readonly staticKeyPair?: KeyPair;
  /** This side's ephemeral key pair, for test vectors only: a fresh one is made otherwise. Owned from now on, and zeroed. */
  readonly ephemeralKeyPair?: KeyPair;
  /** The other side's static public key, where the pattern knows it beforehand. */
  readonly remoteStaticKey?: Uint8Array;
  /** The other side's ephemeral public key, where the pattern knows it beforehand (fallback). */
  readonly remoteEphemeralKey?: Uint8Array;
  /** Pre-shared keys of 32 bytes in the order of the `psk` tokens; copied. */
  readonly psks?: readonly Uint8Array[];
}

/** What a finished handshake leaves. */
export interface HandshakeOutput {
  /** Key of the messages that this side sends; not to be used by the responder of a one-way pattern. Owned by the caller. */
  readonly sendKey: Uint8Array;
  /** Key of the messages that this side receives; not to be used by the initiator of a one-way pattern. Owned by the caller. */
  readonly receiveKey: Uint8Array;
  /** Channel binding (Noise §11.2). */
  readonly handshakeHash: Uint8Array;
}

/** @throws TypeError or RangeError when a key that the pattern needs is missing or has the wrong length. */
export function checkHandshakeKeys(pattern: HandshakePattern, role: Role, keys: HandshakeKeys): void {
  const other = role === 'initiator' ? 'responder' : 'initiator';
  const { preMessages, messages, pskCount } = pattern;
  const sends = messages.some(({ sender, tokens }) => sender === role && tokens.includes('s'));
  const { psks = [] } = keys;
  checkKey('staticKeyPair', keys.staticKeyPair?.publicKey, sends || preMessages[role].includes('s'));
  checkKey('ephemeralKeyPair', keys.ephemeralKeyPair?.publicKey, preMessages[role].includes('e'));
  checkKey('remoteStaticKey', keys.remoteStaticKey, preMessages[other].includes('s'));
  checkKey('remoteEphemeralKey', keys.remoteEphemeralKey, preMessages[other].includes('e'));
  if (psks.length !== pskCount) throw new TypeError(`the pattern ${pattern.name} needs ${pskCount} psks`);
  if (psks.some((psk) => psk.length !== PSK_LENGTH)) throw new RangeError('a psk has 32 bytes');

  function checkKey(name: string, key: Uint8Array | undefined, isNeeded: boolean): void {
    if (isNeeded && !key) throw new TypeError(`the pattern ${pattern.name} needs ${name}`);
    if (key && key.length !== DH_LENGTH) throw new RangeError(`${name} has 32 bytes`);
  }
}
