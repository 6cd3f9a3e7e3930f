import { sha256 } from '@nzcore/crypto';
import { multicodecPublicKey, type PeerId, publicKeyFromPeerId } from './peer-id.ts';

/** The place of a peer in the DHT: SHA-256 of the multicodec form of its public key, 32 bytes. */
export function dhtKey(id: PeerId): Uint8Array {
  return sha256(multicodecPublicKey(publicKeyFromPeerId(id)));
}
