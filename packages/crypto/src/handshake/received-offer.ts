import type { HandshakeState } from '../noise/handshake-state.ts';
import { isCertificateAuthentic } from './certificate.ts';
import type { HandshakeContext } from './context.ts';
import { HandshakeError, invalidMessage } from './errors.ts';
import { decodeOffer, type Offer } from './offer.ts';

/** Milliseconds by which a certificate may have expired, for clocks that differ (NZ-HANDSHAKE-01 §4). */
export const CERTIFICATE_SKEW = 600_000;

/**
 * Reads an offer and checks who speaks (NZ-HANDSHAKE-01 §6.2): authentic first, then expected, then current.
 * @throws HandshakeError `INVALID_MESSAGE`, `IDENTITY_MISMATCH`, `CERTIFICATE_EXPIRED`.
 */
export function readOffer(
  context: HandshakeContext,
  payload: Uint8Array,
  { noise, now }: { readonly noise: HandshakeState; readonly now: number },
): Offer {
  const offer = decodeOffer(payload);
  const { identity, certificate } = offer;
  const { primitives } = context;
  if (!isCertificateAuthentic(certificate, { identity, staticKey: noise.remoteStaticKey!, primitives })) {
    throw invalidMessage();
  }
  expectIdentity(context, identity);
  if (certificate.expiresAt + CERTIFICATE_SKEW < now) {
    throw new HandshakeError('CERTIFICATE_EXPIRED', 'the certificate of the peer’s static key has expired');
  }
  return offer;
}

/** @throws HandshakeError `IDENTITY_MISMATCH` */
export function expectIdentity({ options, primitives }: HandshakeContext, identity: Uint8Array): void {
  const { expectedIdentity } = options;
  if (expectedIdentity && !primitives.equalBytes(expectedIdentity, identity)) {
    throw new HandshakeError('IDENTITY_MISMATCH', 'another peer than the expected one answered');
  }
}
