import type { Primitives } from '../primitives.ts';

/** Bytes of the tag that message 1 carries in a private network. */
export const NETWORK_TAG_LENGTH = 16;

const LABEL = new TextEncoder().encode('NZ-HANDSHAKE-01/network-tag');

/**
 * The tag over message 1 (NZ-HANDSHAKE-01 §5.3): one keyed hash tells outsiders apart before any key agreement, so that
 * they can neither make the responder work nor learn that it is there.
 */
export function networkTag(networkKey: Uint8Array, message: Uint8Array, primitives: Primitives): Uint8Array {
  const key = primitives.hmac('blake2b', networkKey, LABEL);
  const tag = primitives.hmac('blake2b', key, message).slice(0, NETWORK_TAG_LENGTH);
  primitives.wipe(key);
  return tag;
}
