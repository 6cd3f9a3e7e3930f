import type { Primitives } from '../primitives.ts';
import { verifyCertificate } from './verified-certificates.ts';

const DOMAIN = new TextEncoder().encode('NZ-HANDSHAKE-01/static-key');
const STATIC_KEY_LENGTH = 32;
const EXPIRY_LENGTH = 8;

/** The proof that an Ed25519 identity owns an X25519 static key until a time (NZ-HANDSHAKE-01 §4). */
export interface StaticKeyCertificate {
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Ed25519, 64 bytes. */
  readonly signature: Uint8Array;
}

/**
 * The bytes that a certificate signs (NZ-HANDSHAKE-01 §4):
 *
 *     "NZ-HANDSHAKE-01/static-key" (26) | static key (32) | expiry in milliseconds (8, big-endian)
 */
function certifiedBytes(staticPublicKey: Uint8Array, expiresAt: number): Uint8Array {
  if (staticPublicKey.length !== STATIC_KEY_LENGTH) throw new RangeError('a static key has 32 bytes');
  if (!Number.isSafeInteger(expiresAt) || expiresAt < 0)
    throw new RangeError('expiresAt is a time in milliseconds');
  const bytes = new Uint8Array(DOMAIN.length + STATIC_KEY_LENGTH + EXPIRY_LENGTH);
  bytes.set(DOMAIN);
  bytes.set(staticPublicKey, DOMAIN.length);
  new DataView(bytes.buffer).setBigUint64(DOMAIN.length + STATIC_KEY_LENGTH, BigInt(expiresAt));
  return bytes;
}

/**
 * Lets an identity certify a static key.
 * @param sign - Signs these bytes with the identity's Ed25519 key, without any further framing.
 * @param staticPublicKey - X25519, 32 bytes.
 * @param expiresAt - Milliseconds since the epoch.
 */
export function createStaticKeyCertificate(
  sign: (bytes: Uint8Array) => Uint8Array,
  staticPublicKey: Uint8Array,
  expiresAt: number,
): StaticKeyCertificate {
  const signature = sign(certifiedBytes(staticPublicKey, expiresAt));
  if (signature.length !== 64) throw new RangeError('an Ed25519 signature has 64 bytes');
  return { expiresAt, signature };
}

/** Says whether the identity signed this static key and expiry; the time is not looked at. */
export function isCertificateAuthentic(
  certificate: StaticKeyCertificate,
  options: { readonly identity: Uint8Array; readonly staticKey: Uint8Array; readonly primitives: Primitives },
): boolean {
  const { identity, staticKey, primitives } = options;
  const signed = certifiedBytes(staticKey, certificate.expiresAt);
  return verifyCertificate(certificate, { signed, identity, primitives });
}
