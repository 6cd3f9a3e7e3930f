/**
 * What a peer shows in a handshake: its X25519 static key and the certificate by which its Ed25519 identity
 * vouches for it (NZ-HANDSHAKE-01; spec/identity.md §5).
 *
 * ```text
 * signed:  "NZ-HANDSHAKE-01/static-key" (26)  ||  static key (32)  ||  expiry, ms since the epoch, u64 BE (8)
 * ```
 */

/** The identity's signature over its X25519 static key. */
export interface StaticKeyCertificate {
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Ed25519, 64 bytes. */
  readonly signature: Uint8Array;
}

/** What the handshake needs of a peer; the memory belongs to the identity and is zeroed when that is disposed. */
export interface LocalIdentity {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** X25519, 32 bytes each. */
  readonly staticKeyPair: { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array };
  readonly certificate: StaticKeyCertificate;
}

const CERTIFICATE_PREFIX = new TextEncoder().encode('NZ-HANDSHAKE-01/static-key');

/** The bytes that the identity signs to vouch for a static key until `expiresAt`. */
export function staticKeyCertificateBytes(staticPublicKey: Uint8Array, expiresAt: number): Uint8Array {
  const prefixLength = CERTIFICATE_PREFIX.length;
  const bytes = new Uint8Array(prefixLength + 32 + 8);
  bytes.set(CERTIFICATE_PREFIX);
  bytes.set(staticPublicKey, prefixLength);
  new DataView(bytes.buffer).setBigUint64(prefixLength + 32, BigInt(expiresAt));
  return bytes;
}
