/**
 * Revocation of a delegation (spec/identity.md §8.5):
 *
 * ```text
 * [1, issuer (32), id of the delegation (32), issued at]
 * ```
 */
import { sameBytes } from '../bytes.ts';
import { IdentityError } from '../errors.ts';
import { assertTime, isBytes32, isTime } from '../fields.ts';
import { type PeerId, peerIdFromPublicKey } from '../peer-id.ts';
import { decodeSigned, encodeSigned, type Signer } from '../signed.ts';
import type { Delegation } from './delegation.ts';

const DOMAIN = 'NZ-IDENTITY-01/revocation';
const VERSION = 1;
const MAX_LENGTH = 256;

/** A verified revocation. It cannot be taken back; a new delegation can be made. */
export interface Revocation {
  /** Who revokes; it counts for delegations that this peer issued, and for those that descend from one. */
  readonly issuer: PeerId;
  /** The revoked delegation's id. */
  readonly delegation: Uint8Array;
  /** Milliseconds since the epoch, as the issuer says; no decision depends on it. */
  readonly issuedAt: number;
}

/** A signed revocation of the delegation with this id. */
export function revoke(
  issuer: Signer,
  { delegation, now }: { readonly delegation: Uint8Array; readonly now: number },
): Uint8Array {
  assertTime('now', now);
  if (!isBytes32(delegation)) throw new TypeError('the id of a delegation has 32 bytes');
  return encodeSigned(DOMAIN, [VERSION, issuer.publicKey, delegation, now], issuer);
}

/**
 * Reads a revocation and verifies its signature.
 *
 * @throws IdentityError `INVALID_REVOCATION`
 */
export function decodeRevocation(bytes: Uint8Array): Revocation {
  const signed = decodeSigned(DOMAIN, bytes, {
    maxBytes: MAX_LENGTH,
    signers: ([version, issuer, delegation, issuedAt, ...rest]) =>
      version === VERSION &&
      isBytes32(issuer) &&
      isBytes32(delegation) &&
      isTime(issuedAt) &&
      rest.length === 0
        ? [issuer]
        : undefined,
  });
  if (signed === undefined) {
    throw new IdentityError('INVALID_REVOCATION', 'not a valid revocation, or its signature is wrong');
  }
  const [, issuer, delegation, issuedAt] = signed.fields as [number, Uint8Array, Uint8Array, number];
  return { issuer: peerIdFromPublicKey(issuer), delegation, issuedAt };
}

/** The revocations that are known, all verified: a list, or a search by the id of a delegation. */
export type KnownRevocations = readonly Revocation[] | ((delegation: Uint8Array) => Iterable<Revocation>);

/** Whether one of the issuers revoked the delegation. */
export function isRevoked(
  { id }: Delegation,
  issuers: readonly PeerId[],
  revocations: KnownRevocations,
): boolean {
  const candidates = typeof revocations === 'function' ? revocations(id) : revocations;
  for (const revocation of candidates) {
    if (sameBytes(revocation.delegation, id) && issuers.includes(revocation.issuer)) return true;
  }
  return false;
}
