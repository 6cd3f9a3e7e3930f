import { concatBytes } from '../bytes.ts';
import type { Primitives } from '../primitives.ts';
import type { StaticKeyCertificate } from './certificate.ts';

// A certificate of a known peer costs 0.2 kB to remember, and 0.1 ms to verify again.
const MAX_CERTIFICATES = 1_024;

/**
 * Certificates that were valid. Whether one is valid depends on its bytes alone, so it is asked once: a peer
 * that comes back costs no verification. Nothing here is secret, and the expiry is judged anew each time.
 */
class VerifiedCertificates {
  /** Signature, identity and signed bytes, by some bytes of the signature: of two with the same, the later one is remembered. */
  readonly #known = new Map<number, Uint8Array>();

  has(id: number, claim: Uint8Array, { equalBytes }: Primitives): boolean {
    const known = this.#known.get(id);
    if (known === undefined || !equalBytes(known, claim)) return false;
    // The one that was used last is forgotten last.
    this.#known.delete(id);
    this.#known.set(id, known);
    return true;
  }

  add(id: number, claim: Uint8Array): void {
    this.#known.delete(id);
    this.#known.set(id, claim);
    if (this.#known.size <= MAX_CERTIFICATES) return;
    const [oldest] = this.#known.keys();
    this.#known.delete(oldest!);
  }
}

// By backend, since each has to give its own answer in tests.
const verified = new WeakMap<Primitives, VerifiedCertificates>();

/** Verifies a certificate's signature over `signed`, or remembers that it has been valid. */
export function verifyCertificate(
  { signature }: StaticKeyCertificate,
  options: { readonly signed: Uint8Array; readonly identity: Uint8Array; readonly primitives: Primitives },
): boolean {
  const { signed, identity, primitives } = options;
  let known = verified.get(primitives);
  if (!known) {
    known = new VerifiedCertificates();
    verified.set(primitives, known);
  }
  const claim = concatBytes(signature, identity, signed);
  const id = new DataView(claim.buffer, claim.byteOffset).getUint32(0);
  if (known.has(id, claim, primitives)) return true;
  if (!primitives.ed25519.verify(signature, signed, identity)) return false;
  known.add(id, claim);
  return true;
}
