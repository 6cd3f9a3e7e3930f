/**
 * Hybrid public key encryption, RFC 9180, one message per context:
 * DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305, modes Base (§5.1.1) and Auth (§5.1.3).
 *
 * Auth mode proves the sender to the recipient only: whoever has the recipient's secret key can forge such a
 * message to that recipient (§9.1.1, key-compromise impersonation).
 */
import { chacha20poly1305, hmac, type KeyPair, wipe, x25519 } from '@nzcore/crypto';
import { concatBytes, copyBytes } from './bytes.ts';

const MODE_BASE = 0x00;
const MODE_AUTH = 0x02;
const KEM_ID = [0x00, 0x20];
const KDF_ID = [0x00, 0x01];
const AEAD_ID = [0x00, 0x03];

const encoder = new TextEncoder();
const EMPTY = new Uint8Array(0);
const VERSION_LABEL = encoder.encode('HPKE-v1');
const KEM_SUITE = concatBytes(encoder.encode('KEM'), Uint8Array.from(KEM_ID));
const HPKE_SUITE = concatBytes(encoder.encode('HPKE'), Uint8Array.from([...KEM_ID, ...KDF_ID, ...AEAD_ID]));

/** Length of an encapsulated key in bytes. */
export const ENCAPSULATED_KEY_LENGTH = 32;
/** Bytes that sealing adds besides the encapsulated key. */
export const HPKE_TAG_LENGTH = 16;

/** Inputs of sealing; keys are X25519, 32 bytes. */
export interface HpkeSealInput {
  readonly recipient: Uint8Array;
  readonly info: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly aad?: Uint8Array;
  /** Present: Auth mode. */
  readonly sender?: KeyPair;
  /** The ephemeral key; vectors need to fix it. */
  readonly ephemeral?: KeyPair;
}

/** Inputs of opening; keys are X25519, 32 bytes. */
export interface HpkeOpenInput {
  readonly recipient: KeyPair;
  readonly info: Uint8Array;
  readonly encapsulatedKey: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly aad?: Uint8Array;
  /** Present: Auth mode. */
  readonly sender?: Uint8Array;
}

/** Encapsulated key (32 bytes), ciphertext and tag in one array. */
export function hpkeSeal({
  recipient,
  info,
  plaintext,
  aad = EMPTY,
  sender,
  ephemeral,
}: HpkeSealInput): Uint8Array {
  const { publicKey: enc, secretKey } = ephemeral ?? x25519.generateKeyPair();
  const secrets: Uint8Array[] = [secretKey];
  try {
    // AuthEncap: dh = DH(skE, pkR) || DH(skS, pkR)
    secrets.push(x25519.sharedSecret(secretKey, recipient));
    if (sender !== undefined) secrets.push(x25519.sharedSecret(sender.secretKey, recipient));
    const secret = sharedSecret(secrets.slice(1), [enc, recipient, sender?.publicKey ?? EMPTY]);
    secrets.push(secret);
    const { key, nonce } = keySchedule(sender === undefined ? MODE_BASE : MODE_AUTH, secret, info);
    secrets.push(key, nonce);
    return concatBytes(enc, chacha20poly1305.seal(key, nonce, plaintext, aad));
  } finally {
    wipe(...secrets);
  }
}

/**
 * The plaintext of what {@link hpkeSeal} made.
 *
 * @throws CryptoError `AUTHENTICATION_FAILED` or `INVALID_KEY`
 */
export function hpkeOpen(input: HpkeOpenInput): Uint8Array {
  const { recipient, info, encapsulatedKey, ciphertext, aad = EMPTY, sender } = input;
  const secrets: Uint8Array[] = [];
  try {
    // AuthDecap: dh = DH(skR, pkE) || DH(skR, pkS)
    secrets.push(x25519.sharedSecret(recipient.secretKey, encapsulatedKey));
    if (sender !== undefined) secrets.push(x25519.sharedSecret(recipient.secretKey, sender));
    const secret = sharedSecret([...secrets], [encapsulatedKey, recipient.publicKey, sender ?? EMPTY]);
    secrets.push(secret);
    const { key, nonce } = keySchedule(sender === undefined ? MODE_BASE : MODE_AUTH, secret, info);
    secrets.push(key, nonce);
    return chacha20poly1305.open(key, nonce, ciphertext, aad);
  } finally {
    wipe(...secrets);
  }
}

/** ExtractAndExpand (RFC 9180 §4.1). */
function sharedSecret(dh: readonly Uint8Array[], context: readonly Uint8Array[]): Uint8Array {
  const ikm = concatBytes(...dh);
  const prk = labeledExtract(KEM_SUITE, { salt: EMPTY, label: 'eae_prk', ikm });
  wipe(ikm);
  const secret = labeledExpand(KEM_SUITE, {
    prk,
    label: 'shared_secret',
    info: concatBytes(...context),
    length: 32,
  });
  wipe(prk);
  return secret;
}

/** KeySchedule (RFC 9180 §5.1) without a PSK; the nonce is that of sequence number 0. */
function keySchedule(
  mode: number,
  secretKey: Uint8Array,
  info: Uint8Array,
): { key: Uint8Array; nonce: Uint8Array } {
  const context = concatBytes(
    Uint8Array.of(mode),
    labeledExtract(HPKE_SUITE, { salt: EMPTY, label: 'psk_id_hash', ikm: EMPTY }),
    labeledExtract(HPKE_SUITE, { salt: EMPTY, label: 'info_hash', ikm: info }),
  );
  const prk = labeledExtract(HPKE_SUITE, { salt: secretKey, label: 'secret', ikm: EMPTY });
  const key = labeledExpand(HPKE_SUITE, { prk, label: 'key', info: context, length: 32 });
  const nonce = labeledExpand(HPKE_SUITE, { prk, label: 'base_nonce', info: context, length: 12 });
  wipe(prk);
  return { key, nonce };
}

/** DeriveKeyPair (RFC 9180 §7.1.3); published vectors give their keys in this form. */
export function hpkeDeriveKeyPair(ikm: Uint8Array): KeyPair {
  const prk = labeledExtract(KEM_SUITE, { salt: EMPTY, label: 'dkp_prk', ikm });
  const secretKey = labeledExpand(KEM_SUITE, { prk, label: 'sk', info: EMPTY, length: 32 });
  wipe(prk);
  return { publicKey: x25519.publicKey(secretKey), secretKey };
}

interface LabeledExtractInput {
  readonly salt: Uint8Array;
  readonly label: string;
  readonly ikm: Uint8Array;
}

function labeledExtract(suite: Uint8Array, { salt, label, ikm }: LabeledExtractInput): Uint8Array {
  const labeledIkm = concatBytes(VERSION_LABEL, suite, encoder.encode(label), ikm);
  const prk = hmac('sha256', salt, labeledIkm);
  wipe(labeledIkm);
  return prk;
}

interface LabeledExpandInput {
  readonly prk: Uint8Array;
  readonly label: string;
  readonly info: Uint8Array;
  readonly length: number;
}

/** HKDF-Expand of at most one block, which is all that these labels need (RFC 5869 §2.3). */
function labeledExpand(suite: Uint8Array, { prk, label, info, length }: LabeledExpandInput): Uint8Array {
  const labeledInfo = concatBytes(
    Uint8Array.of(0, length),
    VERSION_LABEL,
    suite,
    encoder.encode(label),
    info,
  );
  const block = hmac('sha256', prk, concatBytes(labeledInfo, Uint8Array.of(1)));
  const expanded = copyBytes(block.subarray(0, length));
  wipe(block);
  return expanded;
}
