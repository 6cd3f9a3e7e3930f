import { concatBytes } from '../bytes.ts';
import type { Primitives } from '../primitives.ts';
import { invalidMessage } from './errors.ts';
import { HEADER_LENGTH } from './header.ts';

/** Bytes of the tag that message 1 carries in a private network. */
const NETWORK_TAG_LENGTH = 16;

const LABEL = new TextEncoder().encode('NZ-HANDSHAKE-01/network-tag');

/**
 * The tag over message 1 (NZ-HANDSHAKE-01 §5.3): one keyed hash tells outsiders apart before any key agreement, so that
 * they can neither make the responder work nor learn that it is there.
 */
function networkTag(networkKey: Uint8Array, message: Uint8Array, primitives: Primitives): Uint8Array {
  const key = primitives.hmac('blake2b', networkKey, LABEL);
  const tag = primitives.hmac('blake2b', key, message).slice(0, NETWORK_TAG_LENGTH);
  primitives.wipe(key);
  return tag;
}

/** A message with its tag behind it; as it is in a network without a key. */
export function addNetworkTag(
  message: Uint8Array,
  networkKey: Uint8Array | undefined,
  primitives: Primitives,
): Uint8Array {
  return networkKey ? concatBytes(message, networkTag(networkKey, message, primitives)) : message;
}

/**
 * The message without its tag.
 * @throws HandshakeError `INVALID_MESSAGE` when the tag is not this network's.
 */
export function removeNetworkTag(
  message: Uint8Array,
  networkKey: Uint8Array | undefined,
  primitives: Primitives,
): Uint8Array {
  if (!networkKey) return message;
  if (message.length < HEADER_LENGTH + NETWORK_TAG_LENGTH) throw invalidMessage();
  const body = message.subarray(0, -NETWORK_TAG_LENGTH);
  const tag = networkTag(networkKey, body, primitives);
  if (!primitives.equalBytes(tag, message.subarray(-NETWORK_TAG_LENGTH))) throw invalidMessage();
  return body;
}
