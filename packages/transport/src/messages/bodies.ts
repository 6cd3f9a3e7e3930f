import { type CanonicalValue, CryptoError, decodeUntrusted, encodeCanonical } from '@nzcore/crypto/msgpack';
import { malformed } from '../mux/wire-errors.ts';

/** MessagePack of a value, as a body of a message or request. */
export function encodeBody(value: CanonicalValue): Uint8Array {
  return encodeCanonical(value);
}

/**
 * The value of a body that a peer sent: bounded in depth and size, without extension types. Its shape is for the caller to check.
 *
 * @throws TransportError `MALFORMED`
 */
export function decodeBody(bytes: Uint8Array, options: { readonly maxDepth?: number } = {}): unknown {
  try {
    return decodeUntrusted(bytes, { maxBytes: bytes.length, ...options });
  } catch (cause) {
    if (cause instanceof CryptoError) throw malformed('A body is not MessagePack.', cause);
    throw cause;
  }
}
