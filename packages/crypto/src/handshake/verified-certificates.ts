import { concatBytes } from '../bytes.ts';
import type { Primitives } from '../primitives.ts';
import type { StaticKeyCertificate } from './certificate.ts';

// A certificate of a known peer costs 0.2 kB to remember, and 0.1 ms to verify again.
const MAX_CERTIFICATES = 1_024;

/**
 * Signatures of certificates that were valid. Whether one is valid depends on its bytes alone, so it is asked once: a peer
 * that comes back costs no verification. Nothing here is secret, and the expiry is judged anew each time.
 */
class VerifiedCertificates {
  /** What was verified (identity, then the signed bytes), by signature. */
  readonly #known = new Map<string, Uint8Array>();

  get(signature: string): Uint8Array | undefined {
    const claim = this.#known.get(signature);
    // The one that was used last is forgotten last.
    if (claim && this.#known.delete(signature)) this.#known.set(signature, claim);
    return claim;
  }

  add(signature: string, claim: Uint8Array): void {
    this.#known.set(signature, claim);
    if (this.#known.size <= MAX_CERTIFICATES) return;
    const [oldest] = this.#known.keys();
    this.#known.delete(oldest!);
  }
}

// By backend, since each has to give its own answer in tests.
const verified = new WeakMap<Primitives, VerifiedCertificates>();

/** Verifies a certificate's signature over `signed`, or remembers that it has been valid. */
export function verifyCertificate(
  certificate: StaticKeyCertificate,
  options: { readonly signed: Uint8Array; readonly identity: Uint8Array; readonly primitives: Primitives },
): boolean {
  const { signed, identity, primitives } = options;
  let known = verified.get(primitives);
  if (!known) {
    known = new VerifiedCertificates();
    verified.set(primitives, known);
  }
  const id = String.fromCharCode(...certificate.signature);
  const claim = concatBytes(identity, signed);
  const verifiedClaim = known.get(id);
  if (verifiedClaim && primitives.equalBytes(verifiedClaim, claim)) return true;
  if (!primitives.ed25519.verify(certificate.signature, signed, identity)) return false;
  known.add(id, claim);
  return true;
}
