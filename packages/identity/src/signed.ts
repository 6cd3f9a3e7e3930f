/**
 * The one envelope of signed structures (spec/identity.md §4.2):
 *
 * ```text
 * payload    canonical MessagePack of an array, its fields in a fixed order
 * signature  Ed25519 over  domain || 0x00 || payload, 64 bytes for each signer
 * ```
 *
 * What is verified are the received bytes, never a re-encoding of what was read from them.
 */
import { ed25519 } from '@nzcore/crypto';
import { type CanonicalValue, decodeCanonical, encodeCanonical } from '@nzcore/crypto/msgpack';
import { concatBytes, copyBytes } from './bytes.ts';
import { signedBytes } from './domain.ts';

const SIGNATURE_LENGTH = 64;

/** Whoever can sign: an identity, or a key in a device of its own. */
export interface Signer {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Signs `domain || 0x00 || bytes`; 64 bytes. */
  sign(domain: string, bytes: Uint8Array): Uint8Array;
}

/** How a signed structure is read. */
export interface DecodeSignedOptions {
  /** Longer input is refused before it is read. */
  readonly maxBytes: number;
  /**
   * How deep the fields may nest, their array included.
   * @defaultValue 4
   */
  readonly maxDepth?: number;
  /**
   * The Ed25519 keys that must have signed, in the order of the signatures; undefined refuses the fields. Their
   * number must not depend on the fields.
   */
  readonly signers: (fields: readonly unknown[]) => readonly Uint8Array[] | undefined;
  /**
   * How many signatures there are.
   * @defaultValue 1
   */
  readonly signatures?: number;
}

/** A structure whose signatures are valid. */
export interface SignedStructure {
  readonly fields: readonly unknown[];
  /** The signed payload without its signatures; fresh memory. */
  readonly payload: Uint8Array;
}

/**
 * Signs the fields; all signers sign the same bytes.
 *
 * @throws RangeError when the domain is malformed or reserved
 */
export function encodeSigned(
  domain: string,
  fields: readonly CanonicalValue[],
  ...signers: readonly Signer[]
): Uint8Array {
  const payload = encodeCanonical(fields);
  return concatBytes(payload, ...signers.map((signer) => signer.sign(domain, payload)));
}

/**
 * Reads and verifies a signed structure.
 *
 * @returns undefined when it is too long, malformed, not canonical, or any signature is wrong
 */
export function decodeSigned(
  domain: string,
  input: Uint8Array,
  options: DecodeSignedOptions,
): SignedStructure | undefined {
  const { maxBytes, maxDepth = 4, signers, signatures = 1 } = options;
  if (input.length > maxBytes) return undefined;
  // Neither what was verified nor the fields may change with the caller's memory.
  const bytes = copyBytes(input);
  const payloadLength = bytes.length - signatures * SIGNATURE_LENGTH;
  if (payloadLength <= 0) return undefined;
  const payload = bytes.subarray(0, payloadLength);
  const fields = decodeFields(payload, { maxDepth, maxBytes });
  const keys = fields === undefined ? undefined : signers(fields);
  if (fields === undefined || keys?.length !== signatures) return undefined;
  const message = signedBytes(domain, payload);
  const valid = keys.every((key, i) => {
    const start = payloadLength + i * SIGNATURE_LENGTH;
    return ed25519.verify(bytes.subarray(start, start + SIGNATURE_LENGTH), message, key);
  });
  return valid ? { fields, payload } : undefined;
}

function decodeFields(
  payload: Uint8Array,
  limits: { readonly maxDepth: number; readonly maxBytes: number },
): readonly unknown[] | undefined {
  try {
    const fields = decodeCanonical(payload, limits);
    return Array.isArray(fields) ? fields : undefined;
  } catch {
    return undefined;
  }
}
