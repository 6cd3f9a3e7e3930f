/**
 * Sealed messages to a peer, by RFC 9180 to the X25519 form of its Ed25519 key (spec/identity.md §6).
 *
 * ```text
 * box        version 0x01 (1) | encapsulated key (32) | HPKE Base ciphertext of `content`
 * content    0x00 | message                                                   anonymous
 *            0x01 | sender Ed25519 (32) | encapsulated key (32) | HPKE Auth ciphertext of the message
 * ```
 *
 * An observer sees neither the sender nor whether there is one.
 */
import {
  CryptoError,
  ed25519PublicKeyToX25519,
  ed25519SecretKeyToX25519,
  type KeyPair,
  wipe,
  x25519,
} from '@nzcore/crypto';
import { concatBytes, copyBytes } from './bytes.ts';
import { IdentityError } from './errors.ts';
import { ENCAPSULATED_KEY_LENGTH, HPKE_TAG_LENGTH, hpkeOpen, hpkeSeal } from './hpke.ts';
import { type PeerId, PUBLIC_KEY_LENGTH, peerIdFromPublicKey, publicKeyFromPeerId } from './peer-id.ts';

const VERSION = 0x01;
const ANONYMOUS = 0x00;
const AUTHENTICATED = 0x01;

const encoder = new TextEncoder();

/** Options of sealing and opening; both sides must give the same context. */
export interface BoxOptions {
  /**
   * What the message is for, such as `myapp/v1/invitation`: a box made for one purpose does not open for another.
   * @defaultValue ''
   */
  readonly context?: string;
}

/** An opened box. */
export interface OpenedBox {
  /** Fresh memory that the caller owns. */
  readonly message: Uint8Array;
  /** Who sealed it, proven; absent when it was sealed anonymously. */
  readonly from?: PeerId;
}

/**
 * Seals a message that only `recipient` can open and that says nothing about who sealed it. Adds 50 bytes.
 *
 * @throws IdentityError `INVALID_PEER_ID` when the recipient's key is not a usable curve point
 */
export function box(recipient: PeerId, message: Uint8Array, { context = '' }: BoxOptions = {}): Uint8Array {
  return sealContent(recipient, concatBytes(Uint8Array.of(ANONYMOUS), message), context);
}

/** Seals a message that proves its sender to `recipient`, and to nobody else. Adds 130 bytes. */
export function boxFrom(
  sender: KeyPair,
  recipient: PeerId,
  { message, context = '' }: BoxOptions & { readonly message: Uint8Array },
): Uint8Array {
  const secretKey = ed25519SecretKeyToX25519(sender.secretKey);
  try {
    const inner = hpkeSeal({
      recipient: recipientKey(recipient),
      info: innerInfo(sender.publicKey, publicKeyFromPeerId(recipient), context),
      plaintext: message,
      sender: { publicKey: x25519.publicKey(secretKey), secretKey },
    });
    return sealContent(
      recipient,
      concatBytes(Uint8Array.of(AUTHENTICATED), sender.publicKey, inner),
      context,
    );
  } finally {
    wipe(secretKey);
  }
}

/**
 * Opens a box of either kind.
 *
 * @throws IdentityError `INVALID_BOX` for anything that was not sealed for this peer and context
 */
export function openBox(own: KeyPair, sealed: Uint8Array, { context = '' }: BoxOptions = {}): OpenedBox {
  const secretKey = ed25519SecretKeyToX25519(own.secretKey);
  let content: Uint8Array = new Uint8Array(0);
  try {
    const recipient = { publicKey: x25519.publicKey(secretKey), secretKey };
    content = openOuter(recipient, sealed, context);
    if (content[0] === ANONYMOUS) return { message: copyBytes(content.subarray(1)) };
    if (content[0] !== AUTHENTICATED) throw invalidBox();
    const from = copyBytes(content.subarray(1, 1 + PUBLIC_KEY_LENGTH));
    const inner = content.subarray(1 + PUBLIC_KEY_LENGTH);
    const message = openParts(inner, {
      recipient,
      info: innerInfo(from, own.publicKey, context),
      sender: ed25519PublicKeyToX25519(from),
    });
    return { message, from: peerIdFromPublicKey(from) };
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'NOT_READY') throw error;
    throw invalidBox();
  } finally {
    wipe(secretKey, content);
  }
}

function sealContent(recipient: PeerId, content: Uint8Array, context: string): Uint8Array {
  try {
    const info = outerInfo(context);
    const sealed = hpkeSeal({ recipient: recipientKey(recipient), info, plaintext: content });
    return concatBytes(Uint8Array.of(VERSION), sealed);
  } finally {
    wipe(content);
  }
}

function openOuter(recipient: KeyPair, sealed: Uint8Array, context: string): Uint8Array {
  if (sealed[0] !== VERSION) throw invalidBox();
  return openParts(sealed.subarray(1), { recipient, info: outerInfo(context) });
}

function openParts(
  bytes: Uint8Array,
  keys: { readonly recipient: KeyPair; readonly info: Uint8Array; readonly sender?: Uint8Array },
): Uint8Array {
  if (bytes.length < ENCAPSULATED_KEY_LENGTH + HPKE_TAG_LENGTH) throw invalidBox();
  return hpkeOpen({
    ...keys,
    encapsulatedKey: bytes.subarray(0, ENCAPSULATED_KEY_LENGTH),
    ciphertext: bytes.subarray(ENCAPSULATED_KEY_LENGTH),
  });
}

function recipientKey(recipient: PeerId): Uint8Array {
  try {
    return ed25519PublicKeyToX25519(publicKeyFromPeerId(recipient));
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'INVALID_KEY') {
      throw new IdentityError('INVALID_PEER_ID', 'the PeerId names a key that is no usable curve point');
    }
    throw error;
  }
}

function outerInfo(context: string): Uint8Array {
  return encoder.encode(`NZ-IDENTITY-01/box\0${context}`);
}

function innerInfo(sender: Uint8Array, recipient: Uint8Array, context: string): Uint8Array {
  return concatBytes(encoder.encode('NZ-IDENTITY-01/box/from\0'), sender, recipient, encoder.encode(context));
}

function invalidBox(): IdentityError {
  return new IdentityError('INVALID_BOX', 'the bytes are not a box for this peer and context');
}
