/**
 * Domain separation: what an identity signs is always `domain || 0x00 || bytes`, so that a signature made for one
 * purpose never verifies for another (spec/identity.md §4).
 */

const DOMAIN_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/;
// The static-key certificate of NZ-HANDSHAKE-01 is signed without the 0x00 separator, so a domain that begins
// like it could be used to forge one.
const RESERVED_PREFIX = 'NZ-HANDSHAKE-01';

const encoder = new TextEncoder();

/**
 * The bytes that are signed for a message: utf8(domain), 0x00, the message.
 *
 * @throws RangeError when the domain is not 1-64 characters of `A-Z a-z 0-9 . _ : / -` (beginning with a letter or
 * digit) or belongs to the handshake.
 */
export function signedBytes(domain: string, message: Uint8Array): Uint8Array {
  assertDomain(domain);
  const prefix = encoder.encode(domain);
  const bytes = new Uint8Array(prefix.length + 1 + message.length);
  bytes.set(prefix);
  bytes.set(message, prefix.length + 1);
  return bytes;
}

function assertDomain(domain: string): void {
  if (typeof domain !== 'string' || !DOMAIN_PATTERN.test(domain)) {
    throw new RangeError(
      'a signature domain is 1-64 characters of A-Z a-z 0-9 . _ : / -, such as myapp/v1/login',
    );
  }
  if (domain.startsWith(RESERVED_PREFIX)) {
    throw new RangeError(`the signature domain ${RESERVED_PREFIX} belongs to the handshake`);
  }
}
