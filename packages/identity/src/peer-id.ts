/**
 * PeerId: the name of a peer, which is its Ed25519 public key in the text form of did:key (spec/identity.md §3).
 *
 * ```text
 * 'z' + base58btc( 0xed 0x01 || public key (32) )       always 48 characters, always begins with z6Mk
 * ```
 *
 * @see https://w3c-ccg.github.io/did-key-spec/
 */
import { base58btc } from 'multiformats/bases/base58';
import { IdentityError } from './errors.ts';

declare const peerIdBrand: unique symbol;

/** The text of an Ed25519 public key as in did:key, `z6Mk…`: checked, canonical, comparable with `===`. */
export type PeerId = string & { readonly [peerIdBrand]: true };

/** Length of an Ed25519 public key in bytes. */
export const PUBLIC_KEY_LENGTH = 32;

// multicodec `ed25519-pub` (0xed) as an unsigned varint.
const ED25519_PUB = Uint8Array.of(0xed, 0x01);
const DID_KEY_PREFIX = 'did:key:';
// Two bytes of multicodec and 32 of key always give 47 digits that begin with 6Mk; the pattern is checked
// first, because it bounds the work of the base58 decoder, which is quadratic.
const PEER_ID_PATTERN = /^z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/;

/**
 * The multicodec form of a public key: 0xed 0x01 and the 32 bytes of the key.
 *
 * @throws TypeError when it is not 32 bytes.
 */
export function multicodecPublicKey(publicKey: Uint8Array): Uint8Array {
  if (!(publicKey instanceof Uint8Array) || publicKey.length !== PUBLIC_KEY_LENGTH) {
    throw new TypeError('an Ed25519 public key has 32 bytes');
  }
  const bytes = new Uint8Array(ED25519_PUB.length + PUBLIC_KEY_LENGTH);
  bytes.set(ED25519_PUB);
  bytes.set(publicKey, ED25519_PUB.length);
  return bytes;
}

/**
 * The PeerId of an Ed25519 public key (32 bytes).
 *
 * @throws TypeError when it is not 32 bytes.
 */
export function peerIdFromPublicKey(publicKey: Uint8Array): PeerId {
  return base58btc.encode(multicodecPublicKey(publicKey)) as PeerId;
}

/** The 32 bytes of the Ed25519 public key that a PeerId names; fresh memory. */
export function publicKeyFromPeerId(id: PeerId): Uint8Array {
  const key = decodeKey(id);
  if (key === undefined) throw invalidPeerId();
  return key;
}

/**
 * Reads a PeerId from `z6Mk…` or `did:key:z6Mk…`, as it came from anywhere. A did:key with a fragment names a
 * verification method, not a peer, and is refused.
 *
 * @throws IdentityError `INVALID_PEER_ID`
 */
export function parsePeerId(text: string): PeerId {
  if (typeof text !== 'string') throw invalidPeerId();
  const id = text.startsWith(DID_KEY_PREFIX) ? text.slice(DID_KEY_PREFIX.length) : text;
  if (decodeKey(id) === undefined) throw invalidPeerId();
  return id as PeerId;
}

/** Whether the text is a PeerId in its only form, `z6Mk…`. */
export function isPeerId(text: unknown): text is PeerId {
  return typeof text === 'string' && decodeKey(text) !== undefined;
}

/** The decentralised identifier of a peer: `did:key:z6Mk…`. */
export function formatDidKey(id: PeerId): string {
  return `${DID_KEY_PREFIX}${id}`;
}

function decodeKey(id: string): Uint8Array | undefined {
  if (!PEER_ID_PATTERN.test(id)) return undefined;
  const bytes = base58btc.decode(id);
  const isEd25519 =
    bytes.length === ED25519_PUB.length + PUBLIC_KEY_LENGTH &&
    bytes[0] === ED25519_PUB[0] &&
    bytes[1] === ED25519_PUB[1];
  return isEd25519 ? new Uint8Array(bytes.subarray(ED25519_PUB.length)) : undefined;
}

function invalidPeerId(): IdentityError {
  return new IdentityError('INVALID_PEER_ID', 'not a PeerId: expected z6Mk… or did:key:z6Mk…');
}
