import { ed25519 } from '@nzcore/crypto';
import { signedBytes } from './domain.ts';
import { type PeerId, publicKeyFromPeerId } from './peer-id.ts';

const SIGNATURE_LENGTH = 64;

/** A received signature and who is said to have made it. */
export interface SignatureCheck {
  /** 64 bytes; any other length is simply false. */
  readonly signature: Uint8Array;
  /** The signer. */
  readonly peerId: PeerId;
}

/**
 * Whether the peer signed these bytes for this domain.
 *
 * @throws RangeError when the domain is malformed or reserved
 */
export function verify(domain: string, bytes: Uint8Array, { signature, peerId }: SignatureCheck): boolean {
  const message = signedBytes(domain, bytes);
  if (signature.length !== SIGNATURE_LENGTH) return false;
  return ed25519.verify(signature, message, publicKeyFromPeerId(peerId));
}
